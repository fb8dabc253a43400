//! Answers of the Query protocol: a JSON document in the shape of the service model in, XML out.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::error::ApiError;
use super::model::{Kind, MODEL};

const NAMESPACE: &str = "http://rds.amazonaws.com/doc/2014-10-31/";

/// The answer to an action that was carried out.
pub(crate) fn answer(
    action: &str,
    output: Option<&str>,
    result: &Map<String, Value>,
    request_id: &str,
) -> String {
    let mut xml = format!("<{action}Response xmlns=\"{NAMESPACE}\">");
    if let Some(structure) = output {
        element(&mut xml, &format!("{action}Result"), |xml| {
            write_structure(xml, structure, result)
        });
    }
    element(&mut xml, "ResponseMetadata", |xml| {
        text_element(xml, "RequestId", request_id)
    });
    close(&mut xml, &format!("{action}Response"));
    xml
}

/// The answer to an action that was refused.
pub(crate) fn refusal(error: &ApiError, request_id: &str) -> String {
    let mut xml = format!("<ErrorResponse xmlns=\"{NAMESPACE}\">");
    element(&mut xml, "Error", |xml| {
        text_element(
            xml,
            "Type",
            if error.status() < 500 {
                "Sender"
            } else {
                "Receiver"
            },
        );
        text_element(xml, "Code", &error.code);
        text_element(xml, "Message", &error.message);
    });
    text_element(&mut xml, "RequestId", request_id);
    close(&mut xml, "ErrorResponse");
    xml
}

fn write_structure(xml: &mut String, structure: &str, values: &Map<String, Value>) {
    let members = MODEL.members(structure);
    debug_assert!(
        values
            .keys()
            .all(|name| members.iter().any(|member| member.name == name)),
        "{structure} has no such member among {:?}",
        values.keys().collect::<Vec<_>>()
    );
    for member in members {
        if let Some(value) = values.get(member.name).filter(|value| !value.is_null()) {
            element(xml, member.name, |xml| {
                write_value(xml, &member.kind, value)
            });
        }
    }
}

fn write_value(xml: &mut String, kind: &Kind, value: &Value) {
    match (kind, value) {
        (Kind::Structure(structure), Value::Object(values)) => {
            write_structure(xml, structure, values)
        }
        (Kind::List { element: name, of }, Value::Array(values)) => {
            for value in values {
                element(xml, name, |xml| write_value(xml, of, value));
            }
        }
        (_, Value::String(text)) => xml.push_str(&escaped(text)),
        (_, value) => xml.push_str(&escaped(&value.to_string())),
    }
}

fn element(xml: &mut String, name: &str, content: impl FnOnce(&mut String)) {
    xml.push('<');
    xml.push_str(name);
    xml.push('>');
    content(xml);
    close(xml, name);
}

fn text_element(xml: &mut String, name: &str, text: &str) {
    element(xml, name, |xml| xml.push_str(&escaped(text)));
}

/// Text as it may stand in XML: what no document may hold, escaped or not, is replaced.
fn escaped(text: &str) -> String {
    let is_allowed = |one: char| match one {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        one => one >= ' ',
    };
    let replaced = |one| {
        if is_allowed(one) {
            one
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    let text: String = text.chars().map(replaced).collect();
    quick_xml::escape::escape(text).into_owned()
}

fn close(xml: &mut String, name: &str) {
    write!(xml, "</{name}>").expect("a string takes everything");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_have_the_element_names_of_the_model() {
        let result =
            json!({"TagList": [{"Key": "a&b", "Value": null}, {"Value": "2", "Key": "c"}]});
        let xml = answer(
            "ListTagsForResource",
            Some("TagListMessage"),
            result.as_object().unwrap(),
            "id-1",
        );
        assert_eq!(
            xml,
            "<ListTagsForResourceResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
             <ListTagsForResourceResult><TagList><Tag><Key>a&amp;b</Key></Tag>\
             <Tag><Key>c</Key><Value>2</Value></Tag></TagList></ListTagsForResourceResult>\
             <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></ListTagsForResourceResponse>"
        );
    }

    #[test]
    fn what_is_no_text_in_xml_is_replaced() {
        let xml = refusal(&ApiError::new("Some", "a\u{0}b\u{1b}c\td"), "id-3");
        assert!(
            xml.contains("<Message>a\u{fffd}b\u{fffd}c\td</Message>"),
            "{xml}"
        );
    }

    #[test]
    fn a_refusal_names_its_code() {
        let xml = refusal(
            &ApiError::new("DBInstanceNotFound", "DBInstance x not found."),
            "id-2",
        );
        assert!(
            xml.contains("<Error><Type>Sender</Type><Code>DBInstanceNotFound</Code>"),
            "{xml}"
        );
        assert!(
            xml.ends_with("<RequestId>id-2</RequestId></ErrorResponse>"),
            "{xml}"
        );
    }
}
