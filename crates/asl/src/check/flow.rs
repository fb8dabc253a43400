//! Checks of how states lead to each other: transitions exist, every state is reached, every
//! state can reach an end, and no name stands for two states.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Problem};
use crate::definition::{Flow, Kind, State, Transition};

/// AWS's limit on the length of a state's name.
const NAME_CHARACTERS_MAX: usize = 80;

/// Checks one flow; `at` is the JSON path of the object that has `StartAt` and `States`.
pub(crate) fn check_flow(flow: &Flow, at: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut report = |at: String, problem| findings.push(Finding { at, problem });
    if !flow.states.contains_key(&flow.start_at) {
        report(
            format!("{at}.StartAt"),
            Problem::NoSuchState {
                name: flow.start_at.clone(),
            },
        );
    }
    for (name, state) in &flow.states {
        for next in targets(state) {
            if !flow.states.contains_key(next) {
                report(
                    place(at, name),
                    Problem::NoSuchState {
                        name: next.to_owned(),
                    },
                );
            }
        }
    }
    if !findings.is_empty() {
        return findings;
    }
    let reached = closure([flow.start_at.as_str()].into(), |name| {
        targets(&flow.states[name])
    });
    let ending = can_end(flow);
    for name in flow.states.keys().map(String::as_str) {
        if !reached.contains(name) {
            findings.push(Finding {
                at: place(at, name),
                problem: Problem::UnreachableState,
            });
        } else if !ending.contains(name) {
            findings.push(Finding {
                at: place(at, name),
                problem: Problem::EndlessState,
            });
        }
    }
    findings
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
