//! Configure: what only a modify can set is set, values that wait for a reboot act, and nothing
//! of the original's configuration is lost, unless the input allows it by name.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Class, Database, Kind, Settings, StatusClass};

use super::context::{Context, found_again};
use super::password;
use crate::error::{ErrorName, TaskError};
use crate::fidelity::Fidelity;
use crate::marks;

/// The restored database with the original's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configured {
    /// How the two compare.
    pub fidelity: Fidelity,
    /// The secret that RDS keeps its master password in.
    #[serde(default)]
    pub master_user_secret: Option<String>,
}

/// What an asynchronous failure is called in RDS's events; the status goes back to `available`.
const FAILURE_CATEGORY: &str = "failure";
/// Texts of such failures whose events have no category of their own.
const FAILURE_TEXTS: [&str; 4] = [
    "unable to modify",
    "insufficient instance capacity",
    "limitation was exceeded",
    "upgrade failed",
];

pub(super) async fn run(context: &Context) -> Result<Configured, TaskError> {
    // A page that other executions share will do: whatever is changed is looked at anew.
    let polled = context
        .rds
        .poll_database(Kind::Instance, &context.restored()?.resource_id)
        .await?;
    let mut restored = settled(existing(context, polled)?)?;
    let mut missing = context.plan().blueprint.for_modify(&restored);
    let password = password::missing(context, &restored).await?;
    let sets_password = !password.is_empty();
    missing.extend(password);
    if !missing.is_empty() {
        fail_if_told(context, &restored).await?;
        modify(context, &restored, &missing).await?;
        if sets_password {
            password::mark(context, &restored).await?;
        }
        restored = soon(
            context,
            |restored| context.plan().blueprint.for_modify(restored).is_empty(),
            || format!("setting {}", names(&missing)),
        )
        .await?;
    }
    if restored.needs_reboot() {
        let rebooted = context.rds.reboot(&restored.identified()).await;
        found_again(&restored, rebooted)?;
        let waiting = || format!("rebooting {}", restored.identifier);
        restored = soon(context, |restored| !restored.needs_reboot(), waiting).await?;
    }
    fail_if_unapplied(&restored)?;
    restored = tag(context, restored).await?;
    compare(context, &restored)
}

async fn look(context: &Context) -> Result<Database, TaskError> {
    existing(
        context,
        context
            .by_resource(&context.restored()?.resource_id)
            .await?,
    )
}

fn existing(context: &Context, found: Option<Database>) -> Result<Database, TaskError> {
    let asked = context.restored()?;
    found.ok_or_else(|| {
        let message = format!(
            "{} ({}) does not exist any more",
            asked.identifier, asked.resource_id
        );
        TaskError::new(ErrorName::NotFound, message)
    })
}

/// Passes a database on when RDS has nothing left to do to it.
fn settled(restored: Database) -> Result<Database, TaskError> {
    if restored.status.class() == StatusClass::Failed {
        let message = format!("{} is {}", restored.identifier, restored.status);
        return Err(TaskError::new(ErrorName::ModifyFailed, message));
    }
    match restored.unsettled() {
        Some(waiting) => Err(TaskError::in_progress(waiting).at_percent(restored.percent)),
        None => Ok(restored),
    }
}

/// Waits a moment for a settled database of which something holds.
async fn soon(
    context: &Context,
    holds: impl Fn(&Database) -> bool,
    waiting: impl Fn() -> String,
) -> Result<Database, TaskError> {
    let seen = context.soon(|| async {
        match settled(look(context).await?) {
            Ok(restored) if holds(&restored) => Ok(Some(restored)),
            Ok(_) => Ok(None),
            Err(error) if error.name == ErrorName::InProgress => Ok(None),
            Err(error) => Err(error),
        }
    });
    seen.await?.ok_or_else(|| TaskError::in_progress(waiting()))
}

async fn modify(
    context: &Context,
    restored: &Database,
    missing: &Settings,
) -> Result<(), TaskError> {
    let modified = context.rds.modify(&restored.identified(), missing).await;
    match modified {
        Err(error) if matches!(error.class, Class::Invalid | Class::QuotaExceeded) => {
            let message = format!("RDS refuses {}: {error}", names(missing));
            Err(TaskError::new(ErrorName::ModifyFailed, message))
        }
        modified => found_again(restored, modified).map(|_| ()),
    }
}

/// A modify that was accepted can fail later, and only an event says so. Without this look the
/// task would ask for the same change until its time is over.
async fn fail_if_told(context: &Context, restored: &Database) -> Result<(), TaskError> {
    // Who may not read events, or whose server has none, waits for the time limit instead.
    let events = context
        .rds
        .events(Kind::Instance, &restored.identifier, context.entered())
        .await
        .unwrap_or_default();
    let failure = events.into_iter().find(|event| {
        let text = event.message.to_lowercase();
        event
            .categories
            .iter()
            .any(|category| category == FAILURE_CATEGORY)
            || FAILURE_TEXTS.iter().any(|failure| text.contains(failure))
    });
    match failure {
        Some(event) => {
            let message = format!(
                "a change of {} failed: {}",
                restored.identifier, event.message
            );
            Err(TaskError::new(ErrorName::ModifyFailed, message))
        }
        None => Ok(()),
    }
}

fn fail_if_unapplied(restored: &Database) -> Result<(), TaskError> {
    let groups = restored
        .parameter_groups
        .iter()
        .chain(&restored.option_groups)
        .chain(&restored.domains);
    let failed = groups
        .into_iter()
        .find(|group| group.status.contains("failed"));
    match failed {
        Some(group) => {
            let message = format!(
                "{} of {} is {}",
                group.name, restored.identifier, group.status
            );
            Err(TaskError::new(ErrorName::ModifyFailed, message))
        }
        None => Ok(()),
    }
}

/// Tags that the restore request did not set, or that RDS copied from the snapshot.
async fn tag(context: &Context, restored: Database) -> Result<Database, TaskError> {
    let asked = &context.plan().blueprint.tags;
    let found = marks::users(&restored.tags);
    if *asked == found {
        return Ok(restored);
    }
    let foreign: Vec<String> = found
        .keys()
        .filter(|key| !asked.contains_key(*key))
        .cloned()
        .collect();
    if !foreign.is_empty() {
        context.remove_tags(&restored, &foreign).await?;
    }
    let missing = asked
        .iter()
        .filter(|(key, value)| found.get(*key) != Some(*value));
    let missing: trapheus_rds::Tags = missing
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !missing.is_empty() {
        context.add_tags(&restored, &missing).await?;
    }
    soon(
        context,
        |restored| marks::users(&restored.tags) == *asked,
        || "setting tags".to_owned(),
    )
    .await
}

fn compare(context: &Context, restored: &Database) -> Result<Configured, TaskError> {
    let fidelity = Fidelity::compare(&context.plan().blueprint, restored);
    let allowed = &context.plan().allow_lost;
    let lost: Vec<String> = fidelity
        .unforgiven(allowed)
        .map(|loss| {
            format!(
                "{} is {} and not {}",
                loss.attribute, loss.restored, loss.original
            )
        })
        .collect();
    if lost.is_empty() {
        let secret = restored.master_user_secret.as_ref();
        return Ok(Configured {
            fidelity,
            master_user_secret: secret.map(|secret| secret.arn.clone()),
        });
    }
    let names: Vec<&str> = fidelity
        .unforgiven(allowed)
        .map(|loss| loss.attribute.as_str())
        .collect();
    let remedy = format!(
        "to go on without, name it in the input: \"allowLost\": {}",
        serde_json::json!(names)
    );
    let message = format!(
        "the restored database would lose configuration: {}",
        lost.join("; ")
    );
    Err(TaskError::new(ErrorName::AttributeLost, message).with_remedy([remedy]))
}

fn names(settings: &Settings) -> String {
    let names: Vec<&str> = settings.keys().map(|name| name.as_str()).collect();
    names.join(", ")
}
