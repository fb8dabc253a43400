//! A target that does not exist: what it is made like. The input's blueprint goes first, then the
//! one that the snapshot carries, then the configuration of the living source.

use std::collections::BTreeMap;

use serde_json::Value;
use trapheus_rds::{Database, DbIdentifier, Kind, Settings};

use super::target::{self, Target};
use super::{Planner, choose};
use crate::checks::Check;
use crate::error::{ErrorName, TaskError};
use crate::input::{CreateIfMissing, Task};
use crate::names::Names;
use crate::plan::Part;
use crate::saved::SavedBlueprint;

const NAME: &str = "target";

/// The attributes whose values are names of databases.
const NAMING: [&str; 7] = [
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "DBClusterMembers",
    "ReadReplicaDBInstanceIdentifiers",
    "ReadReplicaIdentifiers",
    "ReadReplicaSourceDBInstanceIdentifier",
    "ReadReplicaSourceDBClusterIdentifier",
];

impl Planner<'_> {
    /// What a missing target is made like.
    pub(super) async fn to_be_made(&self, asked: &CreateIfMissing) -> Result<Target, TaskError> {
        let id = &self.request.identifier;
        let (saved, whence) = match &asked.blueprint {
            Some(saved) => (saved.as_ref().clone(), "the input's blueprint".to_owned()),
            None => self.found_blueprint().await?,
        };
        if self
            .request
            .is_cluster
            .is_some_and(|is| is != (saved.kind == Kind::Cluster))
        {
            let message = format!(
                "the blueprint is of {}, and `isCluster` says otherwise",
                match saved.kind {
                    Kind::Instance => "an instance",
                    Kind::Cluster => "a cluster",
                }
            );
            return Err(TaskError::new(ErrorName::Refused, message));
        }
        let detail = format!(
            "{id} does not exist; it is made like {whence}: that of {} at {}",
            saved.identifier, saved.captured_at
        );
        let mut made = made_like(saved, id, self.now);
        made.checks.insert(0, Check::warn(NAME, detail));
        made.checks.extend(self.free(&made).await?);
        Ok(made)
    }

    /// The blueprint that the snapshot carries, or the living source's.
    async fn found_blueprint(&self) -> Result<(SavedBlueprint, String), TaskError> {
        let request = &self.request;
        let kinds = [Kind::Instance, Kind::Cluster].into_iter().filter(|kind| {
            request
                .is_cluster
                .is_none_or(|is| is == (*kind == Kind::Cluster))
        });
        let takes_existing = request.task == Task::DbRestore && request.restore_time.is_none();
        for kind in kinds {
            if takes_existing
                && let Ok(snapshot) = choose::find(&self.rds, kind, request).await?
                && let Some(saved) = self.blueprint_of(&snapshot).await?
            {
                return Ok((
                    saved,
                    format!("the blueprint of the snapshot {}", snapshot.id),
                ));
            }
            if let Some(source) = self.living_source(kind).await? {
                let captured = target::capture(&self.rds, &source, self.now).await?;
                let saved = SavedBlueprint::of(captured, &source, self.now);
                return Ok((saved, "its source".to_owned()));
            }
        }
        let message = format!(
            "{id} does not exist, and nothing says what it was like: no snapshot that carries a \
             blueprint, and no living source; name one: \"createIfMissing\": {{\"blueprint\": …}}",
            id = request.identifier
        );
        Err(TaskError::new(ErrorName::Refused, message))
    }

    pub(super) async fn blueprint_of(
        &self,
        snapshot: &trapheus_rds::Snapshot,
    ) -> Result<Option<SavedBlueprint>, TaskError> {
        let kept = self.blueprints.of(&snapshot.arn).await;
        let kept = kept.map_err(|error| TaskError::new(ErrorName::Refused, error.to_string()))?;
        // A snapshot of the same name may have been made anew by somebody else.
        let is_its_own = |saved: &SavedBlueprint| {
            let source = snapshot.source_resource.as_ref();
            source.is_none_or(|source| *source == saved.resource_id)
        };
        Ok(kept.filter(is_its_own))
    }

    async fn living_source(&self, kind: Kind) -> Result<Option<Database>, TaskError> {
        if self.request.source == self.request.identifier {
            return Ok(None);
        }
        Ok(self.rds.database(kind, &self.request.source).await?)
    }

    /// The names of all parts must be free: there is no original of theirs.
    async fn free(&self, made: &Target) -> Result<Vec<Check>, TaskError> {
        let names: Vec<DbIdentifier> = made
            .parts
            .iter()
            .map(|part| part.names.target.clone())
            .collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let holders = self.rds.instances_named(&names).await?;
        let taken = holders.iter().map(|holder| {
            let name = format!("name {}", holder.identifier);
            let id = &holder.resource_id;
            Check::fail(&name, format!("a database of this name exists ({id})"))
        });
        Ok(taken.collect())
    }
}

/// A saved blueprint as a target of this name: what has the old name in it gets the new one.
pub(super) fn made_like(saved: SavedBlueprint, to: &DbIdentifier, now: jiff::Timestamp) -> Target {
    let renamed = renames(&saved, to);
    let mut checks = Vec::new();
    let mut custom_endpoints = saved.custom_endpoints;
    if saved.identifier != *to && !custom_endpoints.is_empty() {
        let ids: Vec<String> = custom_endpoints
            .drain(..)
            .map(|endpoint| endpoint.identifier.to_string())
            .collect();
        let detail = format!(
            "{}: ids are unique in a Region, so {to} gets none; make others after the restore",
            ids.join(", ")
        );
        checks.push(Check::warn("custom endpoints", detail));
    }
    let mut blueprint = saved.head;
    rename(&mut blueprint.settings, &renamed);
    let parts = saved.parts.into_iter().map(|part| {
        let mut blueprint = part.blueprint;
        rename(&mut blueprint.settings, &renamed);
        let name = renamed.get(part.identifier.as_str());
        Part {
            role: part.role,
            names: Names::of(name.unwrap_or(&part.identifier), now),
            original: None,
            blueprint,
        }
    });
    Target {
        kind: saved.kind,
        engine: blueprint.engine.clone(),
        engine_version: saved.engine_version,
        parts: parts.collect(),
        blueprint,
        custom_endpoints,
        checks,
    }
}

/// The new name of everything that has one: `orders-2` of `orders` becomes `staging-2`.
fn renames(saved: &SavedBlueprint, to: &DbIdentifier) -> BTreeMap<String, DbIdentifier> {
    let from = saved.identifier.as_str();
    let mut renames = BTreeMap::from([(from.to_owned(), to.clone())]);
    for (number, part) in saved.parts.iter().enumerate() {
        let old = part.identifier.as_str();
        let new = match old.strip_prefix(from) {
            _ if from == to.as_str() => Ok(part.identifier.clone()),
            Some(rest) => format!("{to}{rest}").parse(),
            None => format!("{to}-{}", number + 1).parse(),
        };
        renames.insert(
            old.to_owned(),
            new.unwrap_or_else(|_| part.identifier.clone()),
        );
    }
    renames
}

/// Only what names databases: a parameter group may well be called like its database.
fn rename(settings: &mut Settings, renames: &BTreeMap<String, DbIdentifier>) {
    for (attribute, value) in settings {
        if NAMING.contains(&attribute.as_str()) {
            rename_in(value, renames);
        }
    }
}

fn rename_in(value: &mut Value, renames: &BTreeMap<String, DbIdentifier>) {
    match value {
        Value::String(text) => {
            if let Some(new) = renames.get(text.as_str()) {
                *text = new.to_string();
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| rename_in(value, renames)),
        _ => {}
    }
}
