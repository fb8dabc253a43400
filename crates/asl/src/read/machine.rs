//! Reads a whole machine, and the flows in it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Fields, Node};
use super::{json, state};
use crate::check::{DefinitionError, Finding, Problem, check_flow, check_names};
use crate::definition::{Flow, Kind};
use crate::time::SECONDS_MAX;

/// What a definition says at its top.
pub(crate) struct Machine {
    pub(crate) flow: Flow,
    pub(crate) timeout_seconds: Option<u64>,
}

/// Reads and checks a definition.
pub(crate) fn machine(text: &str) -> Result<Machine, DefinitionError> {
    let (value, duplicates) = json::parse(text).map_err(|error| {
        let problem = Problem::NotJson {
            reason: error.to_string(),
        };
        DefinitionError::new(vec![Finding {
            at: "$".to_owned(),
            problem,
        }])
    })?;
    let findings = RefCell::new(duplicates);
    let machine = read(&Node {
        value: &value,
        at: "$".to_owned(),
        findings: &findings,
    });
    if let Some(machine) = &machine {
        let mut names = Vec::new();
        collect_names(&machine.flow, "$", &mut names);
        findings.borrow_mut().extend(check_names(&names));
    }
    match (machine, findings.into_inner()) {
        (Some(machine), findings) if findings.is_empty() => Ok(machine),
        (_, findings) => Err(DefinitionError::new(findings)),
    }
}

fn read(node: &Node<'_>) -> Option<Machine> {
    let fields = node.fields()?;
    fields.get("Comment");
    supported(&fields, "Version", "1.0");
    supported(&fields, "QueryLanguage", "JSONPath");
    let timeout_seconds = fields.optional("TimeoutSeconds", |node| node.integer(1..=SECONDS_MAX));
    let flow = flow(&fields);
    fields.finish();
    Some(Machine {
        flow: flow?,
        timeout_seconds: timeout_seconds?,
    })
}

/// Reads `StartAt` and `States`, and checks how the states lead to each other.
pub(super) fn flow(fields: &Fields<'_>) -> Option<Flow> {
    let start_at = fields.require("StartAt").and_then(|node| node.string());
    let states = fields.require("States").and_then(|node| {
        let entries = node.fields()?.entries();
        if entries.is_empty() {
            return node.report(Problem::Empty);
        }
        let states: Vec<_> = entries
            .into_iter()
            .map(|(name, node)| state::state(name, &node))
            .collect();
        states
            .into_iter()
            .map(|state| state.map(|state| (state.name.clone(), Arc::new(state))))
            .collect::<Option<BTreeMap<_, _>>>()
    });
    let flow = Flow {
        start_at: start_at?.to_owned(),
        states: states?,
    };
    let node = fields.node();
    node.findings
        .borrow_mut()
        .extend(check_flow(&flow, &node.at));
    Some(flow)
}

/// Reports a field whose value is not the only one supported.
pub(super) fn supported(fields: &Fields<'_>, name: &str, supported: &'static str) {
    if let Some(node) = fields.get(name)
        && node.value != supported
    {
        let found = node.value.to_string();
        node.report::<()>(Problem::UnsupportedValue { found, supported });
    }
}

/// The names of all states with their JSON paths, the outer ones first.
fn collect_names(flow: &Flow, at: &str, names: &mut Vec<(String, String)>) {
    let place = |name: &str| super::member(&format!("{at}.States"), name);
    names.extend(flow.states.keys().map(|name| (name.clone(), place(name))));
    for (name, state) in &flow.states {
        match &state.kind {
            Kind::Parallel(parallel) => {
                for (index, branch) in parallel.branches.iter().enumerate() {
                    collect_names(branch, &format!("{}.Branches[{index}]", place(name)), names);
                }
            }
            Kind::Map(map) => {
                let processor = format!("{}.{}", place(name), map.processor_field);
                collect_names(&map.processor, &processor, names);
            }
            Kind::Task(_)
            | Kind::Choice(_)
            | Kind::Wait(_)
            | Kind::Pass(_)
            | Kind::Succeed
            | Kind::Fail(_) => {}
        }
    }
}
