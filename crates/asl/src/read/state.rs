//! Reads one state.

use std::sync::Arc;

use super::choice;
use super::machine::{flow, supported};
use super::node::{Fields, Node};
use super::value::{count, filter, path, result_path, template, text};
use super::work::{next, work};
use crate::check::Problem;
use crate::definition::{
    CONCURRENCY_MAX, Count, Fail, Flow, Kind, Map, Parallel, Pass, State, Task, Until, Wait,
};
use crate::path::Path;
use crate::shape::Filter;
use crate::template::Template;
use crate::time::{self, SECONDS_MAX};

/// Reads one state.
pub(super) fn state(name: &str, node: &Node<'_>) -> Option<State> {
    let fields = node.fields()?;
    fields.get("Comment");
    supported(&fields, "QueryLanguage", "JSONPath");
    fields.refuse("Assign", "there are no workflow variables; use ResultPath");
    let kind_node = fields.require("Type");
    let kind_name = kind_node.as_ref()?.string()?;
    let (input_path, output_path) = match kind_name {
        "Fail" => (Some(Filter::Whole), Some(Filter::Whole)),
        _ => (filter(&fields, "InputPath"), filter(&fields, "OutputPath")),
    };
    let kind = match kind_name {
        "Task" => task(&fields).map(Kind::Task),
        "Choice" => choice::choice(&fields).map(Kind::Choice),
        "Wait" => wait(&fields).map(Kind::Wait),
        "Pass" => pass(&fields).map(Kind::Pass),
        "Parallel" => parallel(&fields).map(Kind::Parallel),
        "Map" => map(&fields).map(Kind::Map),
        "Succeed" => Some(Kind::Succeed),
        "Fail" => fail(&fields).map(Kind::Fail),
        found => {
            return kind_node?.report(Problem::UnsupportedValue {
                found: found.to_owned(),
                supported: "Task, Choice, Wait, Pass, Parallel, Map, Succeed, Fail",
            });
        }
    };
    fields.finish();
    Some(State {
        name: name.to_owned(),
        input_path: input_path?,
        output_path: output_path?,
        kind: kind?,
    })
}

fn task(fields: &Fields<'_>) -> Option<Task> {
    for name in ["HeartbeatSeconds", "HeartbeatSecondsPath"] {
        fields.refuse(name, "tasks send no heartbeats; use TimeoutSeconds");
    }
    fields.refuse("Credentials", "tasks bring their own credentials");
    let resource = fields
        .require("Resource")
        .and_then(|node| match node.string()? {
            "" => node.report(Problem::Empty),
            resource => Some(resource.to_owned()),
        });
    let parameters = template(fields, "Parameters");
    let timeout_seconds = count(
        fields,
        [
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "TimeoutSeconds and TimeoutSecondsPath",
        ],
        1,
        SECONDS_MAX,
    );
    let work = work(fields);
    Some(Task {
        resource: resource?,
        parameters: parameters?,
        timeout_seconds: timeout_seconds?,
        work: work?,
    })
}

fn wait(fields: &Fields<'_>) -> Option<Wait> {
    const FIELDS: &str = "Seconds, SecondsPath, Timestamp and TimestampPath";
    let next = next(fields);
    let read = [
        fields.get("Seconds").map(|node| {
            node.integer(0..=SECONDS_MAX)
                .map(|seconds| Until::Seconds(Count::Literal(seconds)))
        }),
        fields
            .get("SecondsPath")
            .map(|node| path(&node).map(|path| Until::Seconds(Count::Path(path)))),
        fields.get("Timestamp").map(|node| timestamp(&node)),
        fields
            .get("TimestampPath")
            .map(|node| path(&node).map(Until::TimestampPath)),
    ];
    let mut found: Vec<Option<Until>> = read.into_iter().flatten().collect();
    if found.len() != 1 {
        let problem = Problem::NotExactlyOne {
            names: FIELDS,
            count: found.len(),
        };
        return fields.node().report(problem);
    }
    Some(Wait {
        until: found.pop()??,
        next: next?,
    })
}

fn timestamp(node: &Node<'_>) -> Option<Until> {
    let text = node.string()?;
    match time::parse(text) {
        Some(at) => Some(Until::Timestamp(at)),
        None => node.report(Problem::BadTimestamp {
            found: text.to_owned(),
        }),
    }
}

fn pass(fields: &Fields<'_>) -> Option<Pass> {
    let parameters = template(fields, "Parameters");
    let result = fields.get("Result").map(|node| node.value.clone());
    let result_path = result_path(fields);
    let next = next(fields);
    Some(Pass {
        parameters: parameters?,
        result,
        result_path: result_path?,
        next: next?,
    })
}

fn parallel(fields: &Fields<'_>) -> Option<Parallel> {
    let parameters = template(fields, "Parameters");
    let branches = fields.require("Branches").and_then(|node| {
        node.each(|node| {
            let fields = node.fields()?;
            fields.get("Comment");
            let branch = flow(&fields);
            fields.finish();
            branch.map(Arc::new)
        })
    });
    let work = work(fields);
    Some(Parallel {
        parameters: parameters?,
        branches: branches?,
        work: work?,
    })
}

fn map(fields: &Fields<'_>) -> Option<Map> {
    for name in ["ItemReader", "ItemBatcher", "ResultWriter", "Label"] {
        fields.refuse(name, "only inline maps are supported");
    }
    for name in [
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    ] {
        fields.refuse(
            name,
            "only inline maps are supported, which tolerate no failure",
        );
    }
    let items_path = fields.optional("ItemsPath", path);
    let item_selector = item_selector(fields);
    let processor = processor(fields);
    let max_concurrency = count(
        fields,
        [
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "MaxConcurrency and MaxConcurrencyPath",
        ],
        0,
        CONCURRENCY_MAX,
    );
    let work = work(fields);
    let (processor_field, processor) = processor?;
    Some(Map {
        items_path: items_path?.unwrap_or_else(Path::whole_input),
        item_selector: item_selector?,
        processor,
        processor_field,
        max_concurrency: max_concurrency?,
        work: work?,
    })
}

/// Reads `ItemSelector`, or `Parameters` as it used to be called.
fn item_selector(fields: &Fields<'_>) -> Option<Option<Template>> {
    let selector = template(fields, "ItemSelector");
    let parameters = template(fields, "Parameters");
    match (selector?, parameters?) {
        (Some(_), Some(_)) => fields.node().report(Problem::NotExactlyOne {
            names: "ItemSelector and Parameters",
            count: 2,
        }),
        (selector, parameters) => Some(selector.or(parameters)),
    }
}

/// Reads `ItemProcessor`, or `Iterator` as it used to be called.
fn processor(fields: &Fields<'_>) -> Option<(&'static str, Arc<Flow>)> {
    const NAMES: [&str; 2] = ["ItemProcessor", "Iterator"];
    let found: Vec<_> = NAMES
        .into_iter()
        .filter_map(|name| Some((name, fields.get(name)?)))
        .collect();
    let [(name, node)] = found.as_slice() else {
        let count = found.len();
        let names = "ItemProcessor and Iterator";
        return fields
            .node()
            .report(Problem::NotExactlyOne { names, count });
    };
    let inner = node.fields()?;
    inner.get("Comment");
    if let Some(config) = inner.get("ProcessorConfig").and_then(|node| node.fields()) {
        supported(&config, "Mode", "INLINE");
        config.finish();
    }
    let processor = flow(&inner);
    inner.finish();
    Some((*name, Arc::new(processor?)))
}

fn fail(fields: &Fields<'_>) -> Option<Fail> {
    let error = text(fields, ["Error", "ErrorPath", "Error and ErrorPath"]);
    let cause = text(fields, ["Cause", "CausePath", "Cause and CausePath"]);
    Some(Fail {
        error: error?,
        cause: cause?,
    })
}
