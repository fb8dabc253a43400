//! The API as it is on the wire, below any SDK: what a test sets up and reads back without the
//! code that it tests.

use bytes::Bytes;
use quick_xml::events::Event;
use serde_json::Value;

/// The Region that simulations are in.
pub(crate) const REGION: &str = "eu-west-1";

/// The account that owns everything.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Signs nothing, but says which Region is meant, as a signature does.
pub(crate) const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=simulation/20260101/eu-west-1/rds/aws4_request";

/// A request that was refused: the error's code and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `Error.Code`.
    pub code: String,
    /// `Error.Message`.
    pub message: String,
}

/// An element of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: String,
    /// Its text, if it has no children.
    pub text: String,
    /// Its children.
    pub children: Vec<Element>,
}

impl Element {
    /// Reads an XML document.
    ///
    /// # Panics
    /// It is none.
    pub fn parse(xml: &[u8]) -> Self {
        let text = std::str::from_utf8(xml).expect("local RDS writes UTF-8");
        let mut reader = quick_xml::Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().expect("local RDS answers in XML");
            let innermost = open.last_mut().expect("the document itself never ends");
            match event {
                Event::Start(start) => open.push(Self::named(start.local_name().as_ref())),
                Event::Empty(start) => {
                    let child = Self::named(start.local_name().as_ref());
                    innermost.children.push(child);
                }
                Event::Text(text) => innermost.text += &text,
                Event::GeneralRef(reference) => {
                    let by_number = reference.resolve_char_ref();
                    match by_number.expect("local RDS writes characters that exist") {
                        Some(character) => innermost.text.push(character),
                        None => {
                            let character = quick_xml::escape::resolve_xml_entity(&reference);
                            innermost.text +=
                                character.expect("local RDS writes XML's own entities");
                        }
                    }
                }
                Event::End(_) => {
                    let element = open.pop().expect("what ends has begun");
                    let parent = open.last_mut().expect("the document itself never ends");
                    parent.children.push(element);
                }
                Event::Eof => return open.pop().expect("the document itself never ends"),
                _declaration_or_comment => {}
            }
        }
    }

    fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// The child of that name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The first element of that name, however deep.
    pub fn find(&self, name: &str) -> Option<&Self> {
        let mut children = self.children.iter();
        self.child(name)
            .or_else(|| children.find_map(|child| child.find(name)))
    }

    /// The text of a child; empty when there is none.
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.as_str())
    }

    /// What stands at a path such as `Endpoint.Port` or `VpcSecurityGroups[].Status`, sorted.
    pub fn values(&self, path: &str) -> Vec<String> {
        let mut found = vec![self];
        for step in path.split('.') {
            let name = step.trim_end_matches("[]");
            found = found.iter().filter_map(|at| at.child(name)).collect();
            if step.ends_with("[]") {
                found = found.iter().flat_map(|list| &list.children).collect();
            }
        }
        let mut values: Vec<String> = found.into_iter().map(Self::flat).collect();
        values.retain(|value| !value.is_empty());
        values.sort();
        values
    }

    /// Everything in it on one line; empty when it holds nothing.
    pub fn flat(&self) -> String {
        if self.children.is_empty() {
            return self.text.clone();
        }
        let mut children: Vec<String> = self
            .children
            .iter()
            .map(|child| (child, child.flat()))
            .filter(|(_, value)| !value.is_empty())
            .map(|(child, value)| format!("{}={value}", child.name))
            .collect();
        children.sort();
        children.join(" ")
    }
}

/// The form of a request: members as the service model has them, lists as arrays.
pub(crate) fn form(action: &str, members: &Value) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("Action", action);
    form.append_pair("Version", "2014-10-31");
    append(&mut form, "", members);
    Bytes::from(form.finish())
}

fn append(form: &mut form_urlencoded::Serializer<'_, String>, path: &str, value: &Value) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, value) in members {
                append(form, &below(name), value);
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                append(form, &below(&format!("member.{}", position + 1)), element);
            }
        }
        Value::String(text) => {
            form.append_pair(path, text);
        }
        Value::Bool(_) | Value::Number(_) => {
            form.append_pair(path, &value.to_string());
        }
    }
}
