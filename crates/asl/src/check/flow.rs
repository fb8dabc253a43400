//! Checks of how states lead to each other: transitions exist, every state is reached, every
//! state can reach an end, and no name stands for two states.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Problem};
use crate::definition::{Flow, Kind, State, Transition};

/// AWS's limit on the length of a state's name.
const NAME_CHARACTERS_MAX: usize = 80;

/// Checks one flow; `at` is the JSON path of the object that has `StartAt` and `States`.
pub(crate) fn check_flow(flow: &Flow, at: &str) -> Vec<Finding> {
    let missing = missing_states(flow, at);
    if missing.is_empty() {
        pointless_states(flow, at)
    } else {
        missing
    }
}

/// The transitions to states that aren't there.
fn missing_states(flow: &Flow, at: &str) -> Vec<Finding> {
    let start = (format!("{at}.StartAt"), flow.start_at.as_str());
    let transitions = flow.states.iter().flat_map(|(name, state)| {
        targets(state)
            .into_iter()
            .map(move |next| (place(at, name), next))
    });
    std::iter::once(start)
        .chain(transitions)
        .filter(|(_, next)| !flow.states.contains_key(*next))
        .map(|(at, next)| Finding {
            at,
            problem: Problem::NoSuchState {
                name: next.to_owned(),
            },
        })
        .collect()
}

/// The states that can't be reached, or from which no end can be. Every transition leads
/// somewhere.
fn pointless_states(flow: &Flow, at: &str) -> Vec<Finding> {
    let reached = closure(vec![&flow.start_at], |name| targets(&flow.states[name]));
    let ending = can_end(flow);
    let problem = |name: &str| {
        if !reached.contains(name) {
            Some(Problem::UnreachableState)
        } else if !ending.contains(name) {
            Some(Problem::EndlessState)
        } else {
            None
        }
    };
    flow.states
        .keys()
        .filter_map(|name| {
            Some(Finding {
                at: place(at, name),
                problem: problem(name)?,
            })
        })
        .collect()
}

/// Checks the names of all states of a machine, given with the JSON paths of the states.
pub(crate) fn check_names(names: &[(String, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, at) in names {
        if !seen.insert(name) {
            findings.push(Finding {
                at: at.clone(),
                problem: Problem::DuplicateState,
            });
        }
        if name.is_empty() {
            findings.push(Finding {
                at: at.clone(),
                problem: Problem::Empty,
            });
        }
        if name.chars().count() > NAME_CHARACTERS_MAX {
            let problem = Problem::NameTooLong {
                maximum: NAME_CHARACTERS_MAX,
            };
            findings.push(Finding {
                at: at.clone(),
                problem,
            });
        }
    }
    findings
}

fn place(at: &str, state: &str) -> String {
    crate::read::member(&format!("{at}.States"), state)
}

/// The states that a state may lead to.
fn targets(state: &State) -> Vec<&str> {
    fn next(transition: &Transition) -> Vec<&str> {
        match transition {
            Transition::Next(name) => vec![name],
            Transition::End => Vec::new(),
        }
    }
    let work = match &state.kind {
        Kind::Task(task) => &task.work,
        Kind::Parallel(parallel) => &parallel.work,
        Kind::Map(map) => &map.work,
        Kind::Choice(choice) => {
            let rules = choice.rules.iter().map(|rule| rule.next.as_str());
            return rules.chain(choice.default.as_deref()).collect();
        }
        Kind::Wait(wait) => return next(&wait.next),
        Kind::Pass(pass) => return next(&pass.next),
        Kind::Succeed | Kind::Fail(_) => return Vec::new(),
    };
    let mut targets = next(&work.next);
    targets.extend(work.catch.iter().map(|catcher| catcher.next.as_str()));
    targets
}

fn ends(state: &State) -> bool {
    match &state.kind {
        Kind::Task(task) => task.work.next == Transition::End,
        Kind::Parallel(parallel) => parallel.work.next == Transition::End,
        Kind::Map(map) => map.work.next == Transition::End,
        Kind::Wait(wait) => wait.next == Transition::End,
        Kind::Pass(pass) => pass.next == Transition::End,
        Kind::Choice(_) => false,
        Kind::Succeed | Kind::Fail(_) => true,
    }
}

/// The states from which an end can be reached.
fn can_end(flow: &Flow) -> BTreeSet<&str> {
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, state) in &flow.states {
        for target in targets(state) {
            sources.entry(target).or_default().push(name);
        }
    }
    let ends: Vec<&str> = flow
        .states
        .iter()
        .filter(|(_, state)| ends(state))
        .map(|(name, _)| name.as_str())
        .collect();
    closure(ends, |name| sources.get(name).cloned().unwrap_or_default())
}

/// Everything that can be reached from the given names.
fn closure<'a>(
    mut waiting: Vec<&'a str>,
    neighbours: impl Fn(&'a str) -> Vec<&'a str>,
) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if reached.insert(name) {
            waiting.extend(neighbours(name));
        }
    }
    reached
}
