//! What has been simulated, in numbers, and which combinations have been seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use trapheus_local::ChaosKind;
use trapheus_restore::{DEFINITION, Strategy};

use super::person::Act;
use super::setting::TargetKind;

/// Where an execution is when something happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) state: String,
    pub(crate) strategy: Strategy,
}

/// How a process is known to end that nothing has happened to.
pub(super) const OF_AGE: &str = "process ended with the story";

/// What happens besides what RDS and people do.
const INCIDENTS: [&str; 11] = [
    "answer too late",
    "clock set",
    "disk full",
    "execution stopped",
    "process killed after a call",
    "process killed after a write",
    "process killed at a moment",
    "process killed before a call",
    "process killed before a write",
    "roll-back asked for",
    "second process",
];

tokio::task_local! {
    /// The state that the present task works for.
    pub(crate) static SITE: Site;
}

/// Numbers of one story or of many.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    /// Stories told.
    pub stories: u64,
    /// How executions ended.
    pub outcomes: BTreeMap<String, u64>,
    /// The processes' calls to RDS.
    pub calls: u64,
    /// What went wrong, by kind: faults of RDS and of the network, deaths, and what people do.
    pub faults: BTreeMap<String, u64>,
    /// Virtual time.
    pub time: Duration,
    /// State, fault, kind of the target, strategy: the combinations that were seen.
    visited: BTreeSet<(String, String, TargetKind, &'static str)>,
}

impl Counts {
    /// How many executions there were.
    pub fn executions(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// Adds those of other stories.
    pub fn add(&mut self, other: Self) {
        self.stories += other.stories;
        self.calls += other.calls;
        self.time += other.time;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.visited.extend(other.visited);
    }

    /// The combinations of state, fault, kind of the target and strategy that were seen, and how
    /// many there are.
    pub fn combinations(&self) -> (usize, usize) {
        let (states, faults) = (waiting_states(), faults());
        // Only one of the strategies moves the original aside first.
        let sites = states.len() * 2 - 1;
        let seen = self
            .visited
            .iter()
            .filter(|(state, fault, ..)| states.contains(state) && faults.contains(fault));
        (seen.count(), sites * faults.len() * TargetKind::ALL.len())
    }

    /// What was seen that is no fault of the list: the total would be wrong.
    pub fn unlisted(&self) -> Vec<&str> {
        let faults = faults();
        let seen = self.faults.keys();
        let unlisted = seen.filter(|fault| *fault != OF_AGE && !faults.contains(*fault));
        unlisted.map(String::as_str).collect()
    }
}

/// What a person does, in the words of the table.
pub(super) fn of_a_person(act: Act) -> String {
    format!("person: {act:?}")
}

/// Everything that can go wrong.
fn faults() -> BTreeSet<String> {
    let of_rds = ChaosKind::ALL.iter().map(ToString::to_string);
    let of_people = Act::ALL.into_iter().map(of_a_person);
    let others = INCIDENTS.into_iter().map(str::to_owned);
    of_rds.chain(of_people).chain(others).collect()
}

/// The states in which anything can happen.
fn waiting_states() -> BTreeSet<String> {
    let definition: Value = serde_json::from_str(DEFINITION).unwrap_or_default();
    let states = definition["States"].as_object().into_iter().flatten();
    let waiting = states.filter(|(_, state)| state["Type"] == "Task" || state["Type"] == "Wait");
    waiting.map(|(name, _)| name.clone()).collect()
}

/// The numbers as a table.
impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seen, all) = self.combinations();
        let days = self.time.as_secs_f64() / 86_400.0;
        writeln!(formatter, "| what | how many |\n|---|---|")?;
        writeln!(formatter, "| stories | {} |", self.stories)?;
        writeln!(formatter, "| executions | {} |", self.executions())?;
        for (outcome, count) in &self.outcomes {
            writeln!(formatter, "| … {outcome} | {count} |")?;
        }
        writeln!(formatter, "| calls to RDS | {} |", self.calls)?;
        writeln!(formatter, "| virtual time | {days:.1} days |")?;
        let faults: u64 = self.faults.values().sum();
        writeln!(formatter, "| faults, deaths and interventions | {faults} |")?;
        for (fault, count) in &self.faults {
            writeln!(formatter, "| … {fault} | {count} |")?;
        }
        writeln!(
            formatter,
            "| combinations of state, fault, kind and strategy | {seen} of {all} |"
        )
    }
}

/// Counts what happens in one story. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    kind: TargetKind,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    counts: Counts,
    /// Where the execution that moved last is, for what happens outside of any task.
    last: Option<Site>,
}

impl Tally {
    pub(crate) fn new(kind: TargetKind) -> Self {
        Self {
            kind,
            inner: Arc::default(),
        }
    }

    /// An execution works on a state.
    pub(crate) fn at(&self, site: &Site) {
        self.inner().last = Some(site.clone());
    }

    /// A process calls RDS.
    pub(crate) fn call(&self) {
        self.inner().counts.calls += 1;
    }

    /// Something goes wrong, or somebody intervenes.
    pub(crate) fn fault(&self, fault: &str) {
        let here = SITE.try_with(Clone::clone).ok();
        let mut inner = self.inner();
        *inner.counts.faults.entry(fault.to_owned()).or_default() += 1;
        if let Some(Site { state, strategy }) = here.or_else(|| inner.last.clone()) {
            inner
                .counts
                .visited
                .insert((state, fault.to_owned(), self.kind, strategy.as_str()));
        }
    }

    /// An execution has ended.
    pub(crate) fn outcome(&self, outcome: &str) {
        *self
            .inner()
            .counts
            .outcomes
            .entry(outcome.to_owned())
            .or_default() += 1;
    }

    /// The numbers at the end of the story.
    pub(crate) fn counts(&self, time: Duration) -> Counts {
        Counts {
            stories: 1,
            time,
            ..self.inner().counts.clone()
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
