//! The RDS service model: what requests and answers look like on the wire. Read from `model/rds-2014-10-31.txt`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The model that local RDS speaks.
pub(crate) static MODEL: LazyLock<Model> =
    LazyLock::new(|| Model::parse(include_str!("../../model/rds-2014-10-31.txt")));

/// Actions and the structures that they take and give.
#[derive(Debug, Default)]
pub(crate) struct Model {
    operations: BTreeMap<&'static str, Operation>,
    structures: BTreeMap<&'static str, Vec<Member>>,
    errors: BTreeMap<&'static str, Vec<&'static str>>,
    statuses: BTreeMap<&'static str, u16>,
    unserved: Vec<&'static str>,
}

/// An action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operation {
    /// The structure of the request.
    pub(crate) input: &'static str,
    /// The structure of the answer, if there is more to say than that it's done.
    pub(crate) output: Option<&'static str>,
}

/// A member of a structure.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) presence: Presence,
    pub(crate) kind: Kind,
}

/// Whether a request may leave a member out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Required,
    Optional,
}

/// The type of a member.
#[derive(Debug)]
pub(crate) enum Kind {
    String,
    Integer,
    Double,
    Boolean,
    Timestamp,
    Structure(&'static str),
    List {
        element: &'static str,
        of: Box<Kind>,
    },
}

impl Model {
    /// The action of that name, if local RDS serves it.
    pub(crate) fn operation(&self, action: &str) -> Option<Operation> {
        self.operations.get(action).copied()
    }

    /// Whether RDS has the action, although local RDS doesn't serve it.
    pub(crate) fn is_unserved(&self, action: &str) -> bool {
        self.unserved.contains(&action)
    }

    /// The members of a structure, in the order of the model.
    pub(crate) fn members(&self, structure: &str) -> &[Member] {
        self.structures.get(structure).map_or(&[], Vec::as_slice)
    }

    /// The error codes that an action may answer with, besides those that every action may.
    pub(crate) fn errors(&self, action: &str) -> &[&'static str] {
        self.errors.get(action).map_or(&[], Vec::as_slice)
    }

    /// The HTTP status of an error code.
    pub(crate) fn status(&self, code: &str) -> Option<u16> {
        self.statuses.get(code).copied()
    }

    fn parse(text: &'static str) -> Self {
        let mut model = Self::default();
        let mut structure = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<&'static str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["operation", name, input, output] => {
                    let output = Some(*output).filter(|output| *output != "-");
                    model.operations.insert(name, Operation { input, output });
                }
                ["structure", name] => {
                    structure = name;
                    model.structures.insert(name, Vec::new());
                }
                ["errors", action, codes @ ..] => {
                    model.errors.insert(action, codes.to_vec());
                }
                ["error", code, status] => {
                    model
                        .statuses
                        .insert(code, status.parse().expect("the model gives a number"));
                }
                ["unserved", name] => model.unserved.push(name),
                [name, kind @ ..] => {
                    let members = model
                        .structures
                        .get_mut(structure)
                        .expect("members follow their structure");
                    members.push(Member::parse(name, kind));
                }
                [] => {}
            }
        }
        model
    }
}

impl Member {
    fn parse(name: &'static str, kind: &[&'static str]) -> Self {
        let (name, presence) = match name.strip_suffix('!') {
            Some(name) => (name, Presence::Required),
            None => (name, Presence::Optional),
        };
        Self {
            name,
            presence,
            kind: Kind::parse(kind),
        }
    }
}

impl Kind {
    fn parse(words: &[&'static str]) -> Self {
        match words {
            ["list", element, of @ ..] => Self::List {
                element,
                of: Box::new(Self::parse(of)),
            },
            ["string"] => Self::String,
            ["integer" | "long"] => Self::Integer,
            ["double"] => Self::Double,
            ["boolean"] => Self::Boolean,
            ["timestamp"] => Self::Timestamp,
            [structure] => Self::Structure(structure),
            [] | [_, ..] => panic!("the model has no type {words:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn structures_of(kind: &Kind) -> Option<&'static str> {
        match kind {
            Kind::Structure(name) => Some(name),
            Kind::List { of, .. } => structures_of(of),
            Kind::String | Kind::Integer | Kind::Double | Kind::Boolean | Kind::Timestamp => None,
        }
    }

    #[test]
    fn every_structure_that_is_mentioned_is_there() {
        let mentioned = MODEL
            .structures
            .values()
            .flatten()
            .filter_map(|member| structures_of(&member.kind))
            .chain(MODEL.operations.values().map(|operation| operation.input))
            .chain(
                MODEL
                    .operations
                    .values()
                    .filter_map(|operation| operation.output),
            );
        for name in mentioned {
            assert!(
                MODEL.structures.contains_key(name),
                "{name} is not in the model"
            );
        }
    }

    #[test]
    fn an_instance_has_the_members_of_the_service_model() {
        assert_eq!(MODEL.members("DBInstance").len(), 94);
        assert_eq!(MODEL.members("ModifyDBInstanceMessage").len(), 66);
        assert_eq!(
            MODEL
                .members("RestoreDBInstanceFromDBSnapshotMessage")
                .len(),
            49
        );
        assert_eq!(MODEL.members("DBSnapshot").len(), 42);
    }
}
