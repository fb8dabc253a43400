//! Configure: what only a modify can set is set, values that wait for a reboot act, replicas
//! exist, and nothing of the original's configuration is lost, unless the input allows it by name.
//!
//! The database itself comes first, then all its members at once, then the replicas, which get
//! what they replicate as it will be.

use serde::{Deserialize, Serialize};
use trapheus_rds::{Class, Database, Kind, Settings, StatusClass, Tags};

use super::context::{Context, Waits, existing, found_again};
use super::sides::{self, Piece, Side};
use super::{attachments, members, password, writer};
use crate::error::{ErrorName, TaskError};
use crate::fidelity::Fidelity;
use crate::marks;
use crate::plan::PartRole;

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
    context.make_so(|| pass(context)).await
}

async fn pass(context: &Context) -> Result<Configured, TaskError> {
    let mut restored = Side {
        head: Some(look(context).await?),
        parts: Vec::new(),
    };
    configure(context, &restored, |role| role.is_none()).await?;
    restored.parts = sides::restored_parts(context).await?;
    configure(context, &restored, |role| role != Some(PartRole::Replica)).await?;
    if let Some(head) = &restored.head {
        writer::make(context, head, |names| &names.restored).await?;
        members::make_replicas(context, head, &restored.parts).await?;
    }
    configure(context, &restored, |role| role == Some(PartRole::Replica)).await?;
    compare(context, &restored)
}

/// Sees the restored database; until something is changed, a page that other executions share
/// will do.
async fn look(context: &Context) -> Result<Database, TaskError> {
    let (asked, kind) = (context.restored()?, context.plan().kind);
    let found = match context.has_begun_something() {
        true => context.by_resource(&asked.resource_id).await?,
        false => context.rds.poll_database(kind, &asked.resource_id).await?,
    };
    existing(asked, found)
}

/// Makes it so that the databases of some roles are as they should be.
async fn configure(
    context: &Context,
    restored: &Side,
    is_meant: impl Fn(Option<PartRole>) -> bool,
) -> Result<(), TaskError> {
    let mut waits = Waits::default();
    let head = restored.head.as_ref();
    for piece in restored.pieces(context.plan()) {
        if is_meant(piece.role) {
            waits.note(configure_one(context, piece, head).await)?;
        }
    }
    waits.end()
}

async fn configure_one(
    context: &Context,
    piece: Piece<'_>,
    head: Option<&Database>,
) -> Result<(), TaskError> {
    let database = piece.database;
    settle(database)?;
    let mut missing = piece.blueprint.for_modify(database);
    let mut sets_password = false;
    if piece.role.is_none() {
        let password = password::missing(context, database).await?;
        sets_password = !password.is_empty();
        missing.extend(password);
    }
    if !missing.is_empty() {
        let what = format!("setting {} of {}", names(&missing), database.identifier);
        if context.begins(&what) {
            fail_if_told(context, database).await?;
            modify(context, database, &missing).await?;
            if sets_password {
                password::mark(context, database).await?;
            }
        }
        return Err(TaskError::in_progress(what));
    }
    if needs_reboot(database, head) {
        let what = format!("rebooting {}", database.identifier);
        if context.begins(&what) {
            let rebooted = context.rds.reboot(&database.identified()).await;
            found_again(database, rebooted)?;
        }
        return Err(TaskError::in_progress(what));
    }
    fail_if_unapplied(database)?;
    attachments::make_so(context, database, piece.blueprint).await?;
    tag(context, database, &piece.blueprint.tags).await
}

/// Lets a database pass when RDS has nothing left to do to it.
fn settle(database: &Database) -> Result<(), TaskError> {
    if database.status.class() == StatusClass::Failed {
        let message = format!("{} is {}", database.identifier, database.status);
        return Err(TaskError::new(ErrorName::ModifyFailed, message));
    }
    match database.unsettled() {
        Some(waiting) => Err(TaskError::in_progress(waiting).at_percent(database.percent)),
        None => Ok(()),
    }
}

/// Whether values act only after a reboot of this very database: those of a cluster's parameter
/// group act in its members, and Aurora's are rebooted one by one.
fn needs_reboot(database: &Database, head: Option<&Database>) -> bool {
    if database.kind == Kind::Cluster && !database.is_multi_az_cluster() {
        return false;
    }
    let mut members = head.into_iter().flat_map(|head| &head.members);
    let of_cluster = members.find(|member| member.identifier == database.identifier);
    database.needs_reboot() || of_cluster.is_some_and(|member| member.needs_reboot())
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
        .events(restored.kind, &restored.identifier, context.entered())
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

/// Tags that the request for the database did not set, or that RDS copied from elsewhere.
async fn tag(context: &Context, database: &Database, asked: &Tags) -> Result<(), TaskError> {
    let found = marks::users(&database.tags);
    if *asked == found {
        return Ok(());
    }
    let what = format!("setting tags of {}", database.identifier);
    if context.begins(&what) {
        let foreign = found.keys().filter(|key| !asked.contains_key(*key));
        let foreign: Vec<String> = foreign.cloned().collect();
        if !foreign.is_empty() {
            context.remove_tags(database, &foreign).await?;
        }
        let missing = asked
            .iter()
            .filter(|(key, value)| found.get(*key) != Some(*value));
        let missing: Tags = missing
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !missing.is_empty() {
            context.add_tags(database, &missing).await?;
        }
    }
    Err(TaskError::in_progress(what))
}

fn compare(context: &Context, restored: &Side) -> Result<Configured, TaskError> {
    let plan = context.plan();
    let mut fidelity = Fidelity::default();
    let mut pieces: Vec<Piece<'_>> = restored.pieces(plan).collect();
    pieces.reverse();
    for piece in pieces {
        fidelity.add(Fidelity::compare(plan, &piece));
    }
    fidelity.breaks = plan.forecast.breaks.clone();
    let allowed = &plan.allow_lost;
    let lost: Vec<String> = fidelity
        .unforgiven(allowed)
        .map(|loss| {
            format!(
                "{} of {} is {} and not {}",
                loss.attribute, loss.database, loss.restored, loss.original
            )
        })
        .collect();
    if lost.is_empty() {
        let secret = restored
            .head
            .as_ref()
            .and_then(|head| head.master_user_secret.as_ref());
        return Ok(Configured {
            master_user_secret: secret.map(|secret| secret.arn.clone()),
            fidelity,
        });
    }
    let mut names: Vec<&str> = fidelity
        .unforgiven(allowed)
        .map(|loss| loss.attribute.as_str())
        .collect();
    names.dedup();
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
