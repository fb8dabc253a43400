//! What an execution has brought about so far: the results of its states, whether they come from
//! the state that the definition carries or from the history.

use serde::Deserialize;
use trapheus_rds::DbIdentifier;

use crate::alert::Delivery;
use crate::error::{Cause, ErrorName};
use crate::input::Task;
use crate::plan::{Plan, Verification};
use crate::repair;
use crate::tasks::{
    Configured, KeptDatabase, MovedAside, Prepared, Promoted, Restored, Retired, RolledBack,
    Snapshotted, Unshared, Verified,
};

/// The results of the states that have succeeded, and what failed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Record {
    pub(crate) plan: Option<Box<Plan>>,
    pub(crate) snapshot: Option<Snapshotted>,
    pub(crate) moved_aside: Option<MovedAside>,
    pub(crate) restored: Option<Restored>,
    pub(crate) configured: Option<Configured>,
    pub(crate) prepared: Option<Prepared>,
    pub(crate) verified: Option<Verified>,
    pub(crate) promoted: Option<Promoted>,
    pub(crate) rolled_back: Option<RolledBack>,
    pub(crate) retired: Option<Retired>,
    pub(crate) unshared: Option<Unshared>,
    /// The failure that led to a roll-back, or to the end.
    pub(crate) error: Option<Failure>,
    /// The failure of the roll-back.
    pub(crate) roll_back_error: Option<Failure>,
    /// The failure of what comes after the point of no return.
    pub(crate) left_over: Option<Failure>,
    /// What became of the alerts.
    #[serde(skip)]
    pub(crate) deliveries: Vec<Delivery>,
}

/// A failure, as the definition's Catch leaves it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Failure {
    #[serde(rename = "Error", default)]
    pub(crate) error: String,
    #[serde(rename = "Cause", default)]
    pub(crate) cause: String,
}

impl Failure {
    pub(crate) fn cause(&self) -> Cause {
        Cause::parse(&self.cause)
    }
}

impl Record {
    /// How long the name was without a database, in seconds; none while it still is.
    pub(crate) fn outage_seconds(&self) -> Option<f64> {
        if self
            .plan
            .as_ref()
            .is_some_and(|plan| plan.original.is_none())
        {
            return Some(0.0);
        }
        let down_since = match (&self.rolled_back, &self.moved_aside) {
            (
                Some(RolledBack {
                    down_since: Some(at),
                    ..
                }),
                _,
            ) => *at,
            (_, Some(moved)) => moved.down_since,
            (_, None) => return Some(0.0),
        };
        let serving_since = match (&self.rolled_back, &self.promoted) {
            (Some(rolled_back), _) => rolled_back.serving_since,
            (None, Some(promoted)) => promoted.serving_since,
            (None, None) => return None,
        };
        let outage = serving_since.duration_since(down_since).as_millis();
        Some(f64::from(u32::try_from(outage.max(0)).unwrap_or(u32::MAX)) / 1000.0)
    }

    /// What exists that should not, or that somebody has to look after.
    pub(crate) fn left_over(&self) -> Vec<String> {
        let mut left_over = Vec::new();
        if let Some(snapshot) = &self.snapshot {
            left_over.extend(snapshot.left_over.iter().cloned());
        }
        if let Some(unshared) = &self.unshared {
            left_over.extend(unshared.left_over.iter().cloned());
            left_over.extend(unshared.targets.iter().flat_map(|target| {
                let place = format!("{}/{}", target.account, target.region);
                let left_over = target.left_over.iter();
                left_over.map(move |what| format!("{place}: {what}"))
            }));
        }
        if let (Some(promoted), None) = (&self.promoted, &self.rolled_back) {
            left_over.extend(promoted.left_over.iter().cloned());
        }
        if let Some(KeptDatabase {
            identifier,
            resource_id,
            parts,
        }) = self.kept()
        {
            let with = with(parts);
            left_over.push(format!(
                "{identifier} ({resource_id}){with}: the restored database, which clients may have written to"
            ));
        }
        if let (Some(_), Some(restored), None) =
            (&self.roll_back_error, &self.restored, &self.rolled_back)
        {
            left_over.push(format!(
                "{} ({}), by this name or another: the restored database",
                restored.identifier, restored.resource_id
            ));
        }
        if let (Some(failure), Some(plan)) = (&self.left_over, &self.plan)
            && let Some(original) = plan.original_id()
        {
            let parts: Vec<DbIdentifier> = plan
                .parts
                .iter()
                .map(|part| part.names.aside.clone())
                .collect();
            left_over.push(format!(
                "{} ({original}){}: the original: {}",
                plan.names.aside,
                with(&parts),
                failure.cause().text()
            ));
        }
        left_over
    }

    /// Whether it is about other accounts and Regions than the own ones.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let plan = self.plan.as_ref();
        plan.is_some_and(|plan| plan.task == Task::RestoreInTargets)
    }

    /// Whether nothing answered at the name before, and nothing does after the roll-back.
    pub(crate) fn is_gone_again(&self) -> bool {
        let is_new = self
            .plan
            .as_ref()
            .is_some_and(|plan| plan.original.is_none());
        let rolled_back = self.rolled_back.as_ref();
        is_new && rolled_back.is_some_and(|rolled_back| rolled_back.serving.is_none())
    }

    /// Whether the roll-back has seen the original serving at the name.
    pub(crate) fn original_serves(&self) -> bool {
        let original = self.plan.as_ref().and_then(|plan| plan.original_id());
        let serving = self
            .rolled_back
            .as_ref()
            .and_then(|rolled_back| rolled_back.serving.as_ref());
        original.is_some() && serving == original
    }

    fn kept(&self) -> Option<&KeptDatabase> {
        self.rolled_back.as_ref()?.kept.as_ref()
    }

    /// What people should know although it went well.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let Some(plan) = &self.plan else {
            return self.undelivered().collect();
        };
        let mut warnings: Vec<String> = plan
            .warnings()
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect();
        if let Some(configured) = &self.configured {
            let lost = configured.fidelity.lost.iter();
            warnings.extend(lost.map(|loss| {
                let of = match loss.database == plan.identifier.as_str() {
                    true => String::new(),
                    false => format!(" of {}", loss.database),
                };
                format!("lost, as allowed: {}{of}", loss.attribute)
            }));
        }
        if plan.verification == Verification::StatusOnly && self.promoted.is_some() {
            warnings.push("the restored database was taken at RDS's word".to_owned());
        }
        warnings.extend(self.undelivered());
        warnings
    }

    /// The channels that alerts did not arrive on.
    fn undelivered(&self) -> impl Iterator<Item = String> {
        self.deliveries.iter().filter_map(|delivery| {
            let Delivery { channel, error } = delivery;
            Some(format!("no alert to {channel}: {}", error.as_ref()?))
        })
    }

    /// What to do about a roll-back that has failed: what it said itself, or else what always
    /// helps. One that was interrupted or is tired of trying says nothing.
    pub(crate) fn repair(&self) -> Vec<String> {
        let failure = self.roll_back_error.as_ref().or(self.error.as_ref());
        let remedy = failure.map(|failure| failure.cause().remedy);
        let said = remedy.filter(|remedy| !remedy.is_empty());
        said.or_else(|| Some(repair::by_hand(self.plan.as_ref()?)))
            .unwrap_or_default()
    }

    /// Whether anything has changed, as far as the results tell.
    pub(crate) fn has_changed_something(&self) -> bool {
        self.snapshot.is_some()
            || self.moved_aside.is_some()
            || self.restored.is_some()
            || self.unshared.is_some()
    }

    /// Whether it stopped before it changed anything.
    pub(crate) fn was_refused(&self) -> bool {
        if self.plan.is_none() {
            return true;
        }
        let is_refusal = self.error.as_ref().is_some_and(|failure| {
            [ErrorName::Refused, ErrorName::ForeignName]
                .iter()
                .any(|name| failure.error == name.as_str())
        });
        is_refusal && !self.has_changed_something()
    }
}

/// Names the parts of a database that is left over.
fn with(parts: &[DbIdentifier]) -> String {
    let names: Vec<&str> = parts.iter().map(DbIdentifier::as_str).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(" with {}", names.join(", ")),
    }
}
