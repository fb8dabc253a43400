//! Paths into a state's input (`$.plan.names[0]`) and into the context object (`$$.State.Name`).
//!
//! Only reference paths are accepted: each names exactly one place. Wildcards, slices and filters
//! are refused, because what they select when nothing matches is where implementations differ.

use std::fmt;

use serde_json::Value;

use crate::errors::Failure;

/// A reference path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    text: String,
    root: Root,
    steps: Vec<Step>,
}

/// What a path starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `$`
    Input,
    /// `$$`
    Context,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Index(usize),
}

/// The two documents that a path may lead into.
#[derive(Clone, Copy)]
pub(crate) struct Documents<'a> {
    pub(crate) input: &'a Value,
    pub(crate) context: &'a Value,
}

impl Path {
    /// The path `$`.
    pub(crate) fn whole_input() -> Self {
        Path {
            text: "$".to_owned(),
            root: Root::Input,
            steps: Vec::new(),
        }
    }

    /// Reads a path; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let (root, mut rest) = match (text.strip_prefix("$$"), text.strip_prefix('$')) {
            (Some(rest), _) => (Root::Context, rest),
            (None, Some(rest)) => (Root::Input, rest),
            (None, None) => return Err("it does not begin with $".to_owned()),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = parse_step(rest)?;
            steps.push(step);
            rest = after;
        }
        Ok(Path {
            text: text.to_owned(),
            root,
            steps,
        })
    }

    pub(crate) fn root(&self) -> Root {
        self.root
    }

    /// The names of the members it goes through, up to the first index.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map_while(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
    }

    /// The path with every step in brackets, as AWS writes it where nothing was found.
    pub(crate) fn in_brackets(&self) -> String {
        let mut text = "$".to_owned();
        for step in &self.steps {
            match step {
                Step::Member(name) => text.extend(["['", name, "']"]),
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }

    /// What is there, if anything is.
    pub(crate) fn find<'a>(&self, documents: Documents<'a>) -> Option<&'a Value> {
        let start = match self.root {
            Root::Input => documents.input,
            Root::Context => documents.context,
        };
        self.steps.iter().try_fold(start, |value, step| match step {
            Step::Member(name) => value.as_object()?.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// What is there; nothing there is a failure that names the field the path stands in.
    pub(crate) fn get<'a>(
        &self,
        documents: Documents<'a>,
        field: &str,
    ) -> Result<&'a Value, Failure> {
        self.find(documents).ok_or_else(|| {
            let document = match self.root {
                Root::Input => documents.input,
                Root::Context => documents.context,
            };
            Failure::runtime(format!(
                "The JSONPath '{self}' specified for the field '{field}' could not be found in \
                 the input '{document}'"
            ))
        })
    }

    /// Puts a value there, making the objects that are missing on the way.
    pub(crate) fn put(&self, document: &mut Value, value: Value) -> Result<(), Failure> {
        let mut place = document;
        for step in &self.steps {
            place = descend(place, step).ok_or_else(|| Failure::result_path(&self.text))?;
        }
        *place = value;
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// One step down for writing: a missing member is made, a missing element is not.
fn descend<'a>(place: &'a mut Value, step: &Step) -> Option<&'a mut Value> {
    match step {
        Step::Member(name) => Some(
            place
                .as_object_mut()?
                .entry(name.as_str())
                .or_insert_with(|| Value::Object(serde_json::Map::new())),
        ),
        Step::Index(index) => place.as_array_mut()?.get_mut(*index),
    }
}

fn parse_step(rest: &str) -> Result<(Step, &str), String> {
    if let Some(after) = rest.strip_prefix("['") {
        let (name, after) = after
            .split_once("']")
            .ok_or_else(|| "a [' is never closed by ']".to_owned())?;
        return Ok((Step::Member(name.to_owned()), after));
    }
    if let Some(after) = rest.strip_prefix('[') {
        let (index, after) = after
            .split_once(']')
            .ok_or_else(|| "a [ is never closed by ]".to_owned())?;
        let index = index.parse().map_err(|_| {
            format!("[{index}] is not an index; only reference paths are supported")
        })?;
        return Ok((Step::Index(index), after));
    }
    let Some(after) = rest.strip_prefix('.') else {
        return Err(format!("'.' or '[' is expected before '{rest}'"));
    };
    let end = after.find(['.', '[']).unwrap_or(after.len());
    let (name, after) = after.split_at(end);
    if name.is_empty() {
        return Err("a name is missing after '.'; only reference paths are supported".to_owned());
    }
    let forbidden = |letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | '-'));
    if name.contains(forbidden) {
        return Err(format!("'{name}' must be written as ['{name}']"));
    }
    Ok((Step::Member(name.to_owned()), after))
}
