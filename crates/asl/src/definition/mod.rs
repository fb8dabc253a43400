//! What a definition says, once it has been read and found right.
//!
//! Only [`crate::read`] makes these values, so whatever the checks promise holds here: every
//! `Next` names a state of the same flow, every number is within its limits.

mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use state::{
    CONCURRENCY_MAX, Catcher, Choice, ChoiceRule, Count, Fail, Kind, Map, Parallel, Pass, State,
    Task, Text, Transition, Until, Wait, Work,
};

use crate::check::DefinitionError;
use crate::read;

/// A checked definition: whatever is in it, the interpreter implements.
#[derive(Debug)]
pub struct StateMachine {
    definition: String,
    pub(crate) flow: Arc<Flow>,
    /// How long an execution may take.
    pub(crate) timeout_seconds: Option<u64>,
}

/// States that lead to each other: the whole machine, a branch of a Parallel, the body of a Map.
#[derive(Debug, PartialEq)]
pub(crate) struct Flow {
    pub(crate) start_at: String,
    pub(crate) states: BTreeMap<String, Arc<State>>,
}

impl StateMachine {
    /// Reads and checks a definition.
    ///
    /// # Errors
    /// All that is wrong with it, each finding with the JSON path of the offender.
    pub fn parse(definition: &str) -> Result<StateMachine, DefinitionError> {
        let machine = read::machine(definition)?;
        Ok(StateMachine {
            definition: definition.to_owned(),
            flow: Arc::new(machine.flow),
            timeout_seconds: machine.timeout_seconds,
        })
    }

    /// The resources that its tasks name, as the definition has them.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<&str> {
        let mut resources = BTreeSet::new();
        self.flow.collect_resources(&mut resources);
        resources
    }

    /// The text that it was read from.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.definition
    }
}

impl Flow {
    /// A state of this flow.
    pub(crate) fn state(&self, name: &str) -> Arc<State> {
        Arc::clone(
            self.states
                .get(name)
                .expect("the definition was checked: every Next exists"),
        )
    }

    fn collect_resources<'a>(&'a self, resources: &mut BTreeSet<&'a str>) {
        for state in self.states.values() {
            match &state.kind {
                Kind::Task(task) => {
                    resources.insert(&task.resource);
                }
                Kind::Parallel(parallel) => {
                    parallel
                        .branches
                        .iter()
                        .for_each(|flow| flow.collect_resources(resources));
                }
                Kind::Map(map) => map.processor.collect_resources(resources),
                Kind::Choice(_) | Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed | Kind::Fail(_) => {
                }
            }
        }
    }
}
