//! The RDS Proxies that lead to the target: whether one follows a rename RDS does not say, so
//! each is taken off what it leads to, and led to the database that has the name now.
//!
//! A mark on that database says that the proxies have been taken off, so that a target seen
//! afterwards under the name is one that was registered since.

use jiff::SignedDuration;
use trapheus_rds::{Class, Database, ProxyTarget};

use super::context::Context;
use crate::error::TaskError;
use crate::marks::{self, Marks};

/// How long a proxy may take to reach its target. The database serves meanwhile, and whoever uses
/// its endpoint writes to it: a proxy that takes longer is reported, and nothing is rolled back.
const REACHES_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// What RDS says of a target that the proxy reaches.
const AVAILABLE: &str = "AVAILABLE";

/// Makes it so that the plan's proxies lead to the database that has the target's name; returns
/// what is left over.
pub(super) async fn lead_to(
    context: &Context,
    database: &Database,
) -> Result<Vec<String>, TaskError> {
    let proxies = &context.plan().proxies;
    if proxies.is_empty() {
        return Ok(Vec::new());
    }
    let Some(since) = Marks(&database.tags).proxies_since() else {
        return Err(take_off(context, database).await?);
    };
    let is_late = context.now().duration_since(since) > REACHES_WITHIN;
    let mut left_over = Vec::new();
    for proxy in proxies {
        match lead(context, database, proxy).await {
            Ok(()) => {}
            Err(error) if is_late || !error.name.is_passing() => {
                left_over.push(format!("proxy {proxy}: {}", error.cause.text()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(left_over)
}

/// Makes it so that the proxies lead to the original again. One that was never led away may reach
/// it by itself, and is left alone then.
pub(super) async fn lead_back(
    context: &Context,
    original: &Database,
    restored: Option<&Database>,
) -> Result<(), TaskError> {
    let is_led = |database: &Database| Marks(&database.tags).proxies_since().is_some();
    if !is_led(original) && !restored.is_some_and(is_led) {
        let mut all_reach_it = true;
        for proxy in &context.plan().proxies {
            let targets = targets(context, proxy).await?;
            all_reach_it &= standing(&targets, original) == Standing::Reached;
        }
        if all_reach_it {
            return Ok(());
        }
    }
    lead_to(context, original).await.map(|_| ())
}

/// Takes the proxies off what they lead to, by whichever of its names they know it; returns what
/// to wait for.
async fn take_off(context: &Context, database: &Database) -> Result<TaskError, TaskError> {
    let waiting = "taking the proxies off the original";
    if context.begins(waiting) {
        let names = &context.plan().names;
        let ours = [&names.target, &names.aside, &names.restored, &names.kept];
        for proxy in &context.plan().proxies {
            let mut targets = targets(context, proxy).await?;
            targets.retain(|target| {
                target.kind == database.kind && ours.contains(&&target.identifier)
            });
            for target in targets {
                let taken_off = context.rds.deregister_proxy_target(&target).await;
                if let Err(error) = taken_off
                    && error.class != Class::NotFound
                {
                    return Err(error.into());
                }
            }
        }
        let mark = marks::proxies(context.now());
        context.add_tags(database, &[mark].into()).await?;
    }
    Ok(TaskError::in_progress(waiting))
}

/// Registers the database where it is not yet, and sees the proxy reach it.
async fn lead(context: &Context, database: &Database, proxy: &str) -> Result<(), TaskError> {
    let name = &database.identifier;
    match standing(&targets(context, proxy).await?, database) {
        Standing::Reached => Ok(()),
        Standing::Unreached(told) => {
            let waiting = format!("the proxy {proxy} does not reach {name} yet{told}");
            Err(TaskError::in_progress(waiting))
        }
        Standing::Unknown => {
            let waiting = format!("leading the proxy {proxy} to {name}");
            if context.begins(&waiting) {
                let to = database.identified();
                match context.rds.register_proxy_target(proxy, &to).await {
                    // Registered by an earlier attempt whose answer was lost: the next look tells.
                    Err(error) if error.class != Class::AlreadyExists => return Err(error.into()),
                    Ok(()) | Err(_) => {}
                }
            }
            Err(TaskError::in_progress(waiting))
        }
    }
}

/// How a proxy stands to a database.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// It reaches it.
    Reached,
    /// It knows of it, and doesn't reach it, with what is told about that.
    Unreached(String),
    /// It doesn't know of it.
    Unknown,
}

fn standing(targets: &[ProxyTarget], database: &Database) -> Standing {
    let is_it = |target: &&ProxyTarget| {
        target.kind == database.kind && target.identifier == database.identifier
    };
    let Some(target) = targets.iter().find(is_it) else {
        return Standing::Unknown;
    };
    // A cluster is reached when one of its members is.
    let members = targets
        .iter()
        .filter(|member| member.cluster.as_ref() == Some(&target.identifier));
    let all: Vec<&ProxyTarget> = members.chain([target]).collect();
    let is_reached = |target: &&ProxyTarget| target.state.as_deref() == Some(AVAILABLE);
    if all.iter().any(is_reached) {
        return Standing::Reached;
    }
    let told = all.iter().find_map(|target| target.description.as_deref());
    Standing::Unreached(told.map(|told| format!(": {told}")).unwrap_or_default())
}

async fn targets(context: &Context, proxy: &str) -> Result<Vec<ProxyTarget>, TaskError> {
    match context.rds.proxy_targets(proxy).await {
        Err(error) if error.class == Class::NotFound => Ok(Vec::new()),
        targets => Ok(targets?),
    }
}
