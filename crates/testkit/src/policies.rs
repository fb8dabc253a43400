//! What the roles of `deploy/template.yaml` allow, judged as IAM judges: what a statement denies is
//! denied, and so is what none allows. Everything that is optional in the template is taken to be there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use yaml_serde::Value as Yaml;

use crate::wire::{ACCOUNT, REGION};

const TEMPLATE: &str = include_str!("../../../deploy/template.yaml");

/// The statements of each task's role.
static ROLES: LazyLock<BTreeMap<String, Vec<Statement>>> = LazyLock::new(roles);

/// What somebody wants to do, with what conditions look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// The service and the action.
    pub(crate) action: String,
    /// The ARN of what it is about.
    pub(crate) resource: String,
    /// The tags that this has.
    pub(crate) resource_tags: BTreeMap<String, String>,
    /// The tags that the request gives, or the keys that it takes off.
    pub(crate) request_tags: BTreeMap<String, String>,
}

#[derive(Debug)]
struct Statement {
    /// Whether it allows, and does not deny.
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// An operator with a key and the values that it is compared with.
#[derive(Debug)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

/// Whether a task's role allows something.
///
/// # Panics
/// The template has no role for the task, or a condition that nobody reads here.
pub(crate) fn allows(task: &str, wish: &Wish) -> bool {
    let about_it = || {
        role(task)
            .iter()
            .filter(|statement| statement.is_about(wish))
    };
    about_it().any(|statement| statement.allows) && about_it().all(|statement| statement.allows)
}

/// The actions of RDS that a task's role allows on anything.
///
/// # Panics
/// The template has no role for the task.
pub fn allowed_actions(task: &str) -> BTreeSet<String> {
    let actions = role(task).iter().flat_map(|statement| &statement.actions);
    let of_rds = actions.filter_map(|action| action.strip_prefix("rds:"));
    of_rds.map(str::to_owned).collect()
}

/// The tasks that have a role.
pub fn tasks() -> impl Iterator<Item = &'static str> {
    ROLES.keys().map(String::as_str)
}

fn role(task: &str) -> &'static [Statement] {
    let role = ROLES.get(task);
    role.unwrap_or_else(|| panic!("deploy/template.yaml has no role for {task}"))
}

impl Statement {
    fn is_about(&self, wish: &Wish) -> bool {
        self.actions.contains(&wish.action)
            && self
                .resources
                .iter()
                .any(|pattern| matches(pattern, &wish.resource))
            && self
                .conditions
                .iter()
                .all(|condition| condition.holds(wish))
    }
}

impl Condition {
    fn holds(&self, wish: &Wish) -> bool {
        if let Some(operator) = self.operator.strip_prefix("ForAllValues:") {
            assert_eq!(self.key, "aws:TagKeys", "a condition that nobody reads");
            let mut keys = wish.request_tags.keys();
            return keys.all(|key| match operator {
                "StringEquals" => self.values.contains(key),
                "StringLike" => self.values.iter().any(|pattern| matches(pattern, key)),
                unknown => panic!("the operator {unknown} is not read"),
            });
        }
        let found = match self.key.split_once('/') {
            Some(("aws:ResourceTag", key)) => wish.resource_tags.get(key),
            Some(("aws:RequestTag", key)) => wish.request_tags.get(key),
            _unknown => panic!("the condition key {} is not read", self.key),
        };
        match self.operator.as_str() {
            "StringEquals" => found.is_some_and(|found| self.values.contains(found)),
            "StringEqualsIfExists" => found.is_none_or(|found| self.values.contains(found)),
            "Null" => self.values == [found.is_none().to_string()],
            unknown => panic!("the operator {unknown} is not read"),
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            let mut ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            rest.is_empty() || ends.any(|at| matches(rest, &tail[at..]))
        }),
    }
}

fn roles() -> BTreeMap<String, Vec<Statement>> {
    let template: Yaml = yaml_serde::from_str(TEMPLATE).expect("the template is YAML");
    let template = resolved(&template);
    let resources = template["Resources"].as_object().expect("it has resources");
    let of_managed = |attached: &Value| {
        let name = attached.as_str().expect("it is a reference");
        statements(&resources[name]["Properties"]["PolicyDocument"])
    };
    let mut roles = BTreeMap::new();
    for function in resources.values() {
        if function["Type"] != "AWS::Serverless::Function" {
            continue;
        }
        let task = function["Properties"]["Handler"].as_str().expect("a task");
        let role = &resources[&format!("{task}Role")]["Properties"];
        let attached = listed(&role["ManagedPolicyArns"]);
        let own = listed(&role["Policies"]).into_iter();
        let own = own.flat_map(|policy| statements(&policy["PolicyDocument"]));
        let all = attached.iter().flat_map(of_managed).chain(own).collect();
        roles.insert(task.to_owned(), all);
    }
    roles
}

fn statements(document: &Value) -> Vec<Statement> {
    let read = |statement: Value| {
        let conditions = statement["Condition"].as_object().cloned();
        let conditions = conditions.unwrap_or_default().into_iter();
        Statement {
            allows: statement["Effect"] == "Allow",
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            conditions: conditions.flat_map(of_operator).collect(),
        }
    };
    listed(&document["Statement"])
        .into_iter()
        .map(read)
        .collect()
}

fn of_operator((operator, keys): (String, Value)) -> Vec<Condition> {
    let keys = keys.as_object().cloned().unwrap_or_default().into_iter();
    keys.map(|(key, values)| Condition {
        operator: operator.clone(),
        key,
        values: texts(&values),
    })
    .collect()
}

/// A list, also one that has a single element and is written without brackets; less what is left out.
fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values
            .iter()
            .filter(|one| !one.is_null())
            .cloned()
            .collect(),
        one => vec![one.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    let text = |one: Value| match one {
        Value::String(text) => text,
        other => other.to_string(),
    };
    listed(value).into_iter().map(text).collect()
}

/// A part of the template with every condition true. What only AWS could tell is its name.
fn resolved(part: &Yaml) -> Value {
    match part {
        Yaml::Tagged(tagged) => match (tagged.tag.to_string().as_str(), resolved(&tagged.value)) {
            ("!If", Value::Array(branches)) => branches[1].clone(),
            ("!Ref", Value::String(name)) if name == "AWS::NoValue" => Value::Null,
            ("!Sub", Value::String(text)) => json!(
                text.replace("${AWS::Partition}", "aws")
                    .replace("${AWS::Region}", REGION)
                    .replace("${AWS::AccountId}", ACCOUNT)
            ),
            (_, value) => value,
        },
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(key, value)| {
                let key = key.as_str().expect("keys are texts");
                (key.to_owned(), resolved(value))
            });
            Value::Object(members.collect::<Map<String, Value>>())
        }
        Yaml::Sequence(elements) => elements.iter().map(resolved).collect(),
        scalar => json!(scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deleting(name: &str, tags: &[(&str, &str)]) -> Wish {
        let tag = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        Wish {
            action: "rds:DeleteDBInstance".to_owned(),
            resource: format!("arn:aws:rds:{REGION}:{ACCOUNT}:db:{name}"),
            resource_tags: tags.iter().map(tag).collect(),
            ..Wish::default()
        }
    }

    #[test]
    fn only_what_was_replaced_is_retired() {
        let marked = ("trapheus:role", "original");
        let replaced = ("trapheus:replaced", "2026-11-22T19:04:38Z");
        assert!(allows(
            "Retire",
            &deleting("orders-temp", &[marked, replaced])
        ));
        assert!(!allows("Retire", &deleting("orders-temp", &[marked])));
        assert!(!allows("Retire", &deleting("orders-temp", &[replaced])));
        assert!(!allows("Retire", &deleting("orders", &[])));
    }

    #[test]
    fn only_what_never_served_is_rolled_back() {
        let made = ("trapheus:role", "restored");
        assert!(allows(
            "RollBack",
            &deleting("orders-trapheus-new", &[made])
        ));
        assert!(!allows("RollBack", &deleting("orders-trapheus-new", &[])));
        assert!(!allows("RollBack", &deleting("orders", &[made])));
        assert!(!allows("RollBack", &deleting("orders", &[])));
    }

    #[test]
    fn who_may_delete_a_database_cannot_mark_it_for_that() {
        let doomed = [
            deleting(
                "orders-temp",
                &[("trapheus:role", "original"), ("trapheus:replaced", "now")],
            ),
            deleting("orders-trapheus-new", &[("trapheus:role", "restored")]),
        ];
        for wish in doomed {
            let marking = Wish {
                action: "rds:AddTagsToResource".to_owned(),
                request_tags: wish.resource_tags.clone(),
                ..wish.clone()
            };
            let deletes: Vec<&str> = tasks().filter(|task| allows(task, &wish)).collect();
            assert!(!deletes.is_empty(), "{wish:?}");
            for task in deletes {
                assert!(!allows(task, &marking), "{task}: {marking:?}");
            }
        }
    }

    #[test]
    fn most_tasks_delete_nothing() {
        let deletes = |task: &&str| allowed_actions(task).contains("DeleteDBInstance");
        let found: Vec<&str> = tasks().filter(deletes).collect();
        assert_eq!(found, ["MoveAside", "Retire", "RollBack"]);
    }
}
