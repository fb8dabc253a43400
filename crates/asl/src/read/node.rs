//! A place in a definition: its value, its JSON path, and where to report what is wrong with it.

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::check::{Finding, Problem};

/// One value of a definition.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) at: String,
    pub(super) findings: &'a RefCell<Vec<Finding>>,
}

/// The members of an object, each of which must be asked for.
pub(super) struct Fields<'a> {
    node: Node<'a>,
    members: &'a Map<String, Value>,
    asked: Vec<Cell<bool>>,
}

/// The JSON path of a member.
pub(crate) fn member(at: &str, name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !name.is_empty() && name.chars().all(plain) {
        format!("{at}.{name}")
    } else {
        format!("{at}['{name}']")
    }
}

impl<'a> Node<'a> {
    /// Reports what is wrong here; returns `None` for the caller to return.
    pub(super) fn report<T>(&self, problem: Problem) -> Option<T> {
        self.findings.borrow_mut().push(Finding {
            at: self.at.clone(),
            problem,
        });
        None
    }

    pub(super) fn fields(&self) -> Option<Fields<'a>> {
        match self.value.as_object() {
            Some(members) => Some(Fields {
                node: self.clone(),
                members,
                asked: vec![Cell::new(false); members.len()],
            }),
            None => self.report(Problem::WrongType {
                expected: "an object",
            }),
        }
    }

    pub(super) fn string(&self) -> Option<&'a str> {
        match self.value.as_str() {
            Some(text) => Some(text),
            None => self.report(Problem::WrongType {
                expected: "a string",
            }),
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value.as_bool() {
            Some(value) => Some(value),
            None => self.report(Problem::WrongType {
                expected: "a boolean",
            }),
        }
    }

    pub(super) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        if !self.value.is_i64() && !self.value.is_u64() {
            return self.report(Problem::WrongType {
                expected: "an integer",
            });
        }
        match self.value.as_u64().filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None => self.report(Problem::OutOfRange {
                found: self.value.to_string(),
                minimum: *range.start(),
                maximum: *range.end(),
            }),
        }
    }

    pub(super) fn elements(&self) -> Option<Vec<Node<'a>>> {
        let Some(elements) = self.value.as_array() else {
            return self.report(Problem::WrongType {
                expected: "an array",
            });
        };
        let node = |(index, value)| Node {
            value,
            at: format!("{}[{index}]", self.at),
            findings: self.findings,
        };
        Some(elements.iter().enumerate().map(node).collect())
    }

    /// The elements of an array that must have some.
    pub(super) fn some_elements(&self) -> Option<Vec<Node<'a>>> {
        let elements = self.elements()?;
        if elements.is_empty() {
            self.report(Problem::Empty)
        } else {
            Some(elements)
        }
    }

    /// Reads every element; `None` when one of them cannot be read.
    pub(super) fn each<T>(&self, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        all(self.some_elements()?.iter().map(read))
    }
}

impl<'a> Fields<'a> {
    /// The object itself.
    pub(super) fn node(&self) -> &Node<'a> {
        &self.node
    }

    pub(super) fn get(&self, name: &str) -> Option<Node<'a>> {
        let position = self.members.keys().position(|key| key == name)?;
        self.asked[position].set(true);
        Some(self.node_at(name, &self.members[name]))
    }

    pub(super) fn require(&self, name: &'static str) -> Option<Node<'a>> {
        let found = self.get(name);
        if found.is_none() {
            self.node.report::<()>(Problem::MissingField { name });
        }
        found
    }

    /// Reads a field that may be absent. Outer `None`: there, but cannot be read.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Node<'a>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.get(name) {
            Some(node) => read(&node).map(Some),
            None => Some(None),
        }
    }

    /// Reports a field of the language that isn't supported.
    pub(super) fn refuse(&self, name: &str, reason: &'static str) {
        if let Some(node) = self.get(name) {
            node.report::<()>(Problem::UnsupportedField { reason });
        }
    }

    /// The names of all members.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str)
    }

    /// Every member with its node, all of them asked for.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        self.asked.iter().for_each(|asked| asked.set(true));
        let members = self.members.iter();
        members
            .map(|(name, value)| (name.as_str(), self.node_at(name, value)))
            .collect()
    }

    /// Reports the members that nobody asked for.
    pub(super) fn finish(self) {
        for ((name, value), asked) in self.members.iter().zip(&self.asked) {
            if !asked.get() {
                self.node_at(name, value)
                    .report::<()>(Problem::UnknownField);
            }
        }
    }

    fn node_at(&self, name: &str, value: &'a Value) -> Node<'a> {
        Node {
            value,
            at: member(&self.node.at, name),
            findings: self.node.findings,
        }
    }
}

/// All or nothing, but only after every one has been looked at, so that all findings are made.
pub(super) fn all<T>(items: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    items.collect::<Vec<_>>().into_iter().collect()
}
