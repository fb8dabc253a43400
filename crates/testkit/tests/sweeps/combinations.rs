//! What a sweep has visited, of what there is.

use std::collections::BTreeSet;

use trapheus_testkit::Still;

use crate::stage::Strategy;

/// Which combinations of strategy, state and fault a sweep has visited, of those that there are.
#[derive(Debug, Default)]
pub(crate) struct Combinations {
    all: BTreeSet<(Strategy, String, String)>,
    visited: BTreeSet<(Strategy, String, String)>,
}

impl Combinations {
    /// These faults can happen in the states of these moments.
    pub(crate) fn add(&mut self, strategy: Strategy, stills: &[Still], faults: &[&str]) {
        let states = stills.iter().filter(|still| !still.state.is_empty());
        for state in states.map(|still| &still.state) {
            for fault in faults {
                let one = (strategy, state.clone(), (*fault).to_owned());
                self.all.insert(one);
            }
        }
    }

    /// This one can happen.
    pub(crate) fn add_one(&mut self, strategy: Strategy, state: &str, fault: &str) {
        let one = (strategy, state.to_owned(), fault.to_owned());
        self.all.insert(one);
    }

    /// This one has happened.
    pub(crate) fn visit(&mut self, strategy: Strategy, state: &str, fault: &str) {
        let one = (strategy, state.to_owned(), fault.to_owned());
        if self.all.contains(&one) {
            self.visited.insert(one);
        }
    }

    /// For the golden.
    pub(crate) fn line(&self) -> (String, String) {
        let told = format!("{} of {}", self.visited.len(), self.all.len());
        ("combinations of strategy, state and fault".to_owned(), told)
    }
}
