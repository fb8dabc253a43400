//! Calls that change something.
//!
//! RDS's calls take names, and a name is never proof: between the look and the act somebody may
//! have renamed something. So whatever touches an existing database takes [`Identified`], and
//! [`Rds::identify`] is the one place that checks it, immediately before the call. What remains
//! is a gap of one call's length.
//!
//! A call that ends in [`Class::Unavailable`](crate::Class::Unavailable) may have been carried
//! out. It is not repeated here: look, and then decide.

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDbInstanceFromDbSnapshotInputBuilder;
use aws_sdk_rds::types as sdk;

use crate::attributes::{self, Settings};
use crate::convert::tags_to_sdk;
use crate::error::Error;
use crate::id::{DbIdentifier, ResourceId, SnapshotId, SnapshotRef};
use crate::instance::{Instance, Tags};
use crate::rds::Rds;
use crate::snapshot::Snapshot;

const ADD_TAGS: &str = "AddTagsToResource";
const CREATE_SNAPSHOT: &str = "CreateDBSnapshot";
const DELETE_INSTANCE: &str = "DeleteDBInstance";
const DELETE_SNAPSHOT: &str = "DeleteDBSnapshot";
const MODIFY_INSTANCE: &str = "ModifyDBInstance";
const REBOOT_INSTANCE: &str = "RebootDBInstance";
const REMOVE_TAGS: &str = "RemoveTagsFromResource";
const RESTORE_INSTANCE: &str = "RestoreDBInstanceFromDBSnapshot";

/// A database by the name that it should have and the identity that it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The name to call it by.
    pub name: DbIdentifier,
    /// Who must answer to the name.
    pub resource: ResourceId,
}

/// A new instance to be made from a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreInstance {
    /// Its name, which must be free.
    pub identifier: DbIdentifier,
    /// What it is made from.
    pub snapshot: SnapshotRef,
    /// What the request sets beside name and tags; members that are not set get RDS's defaults,
    /// not the original's values.
    pub settings: Settings,
    /// All its tags: RDS copies none of the snapshot's when some are given.
    pub tags: Tags,
}

/// What stays of a deleted instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinalSnapshot {
    /// Nothing.
    Skip,
    /// A snapshot of this name, made before the instance goes.
    Create(SnapshotId),
}

/// What becomes of the automated backups of a deleted instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AutomatedBackups {
    /// They stay for their retention period.
    Keep,
    /// They go at once.
    Delete,
}

impl Rds {
    /// Creates a snapshot.
    ///
    /// # Errors
    /// Every class.
    pub async fn create_snapshot(
        &self,
        of: &Identified,
        id: &SnapshotId,
        tags: &Tags,
    ) -> Result<Snapshot, Error> {
        self.identify(CREATE_SNAPSHOT, of).await?;
        let _changing = self.shared.pages.changing(&of.resource);
        let request = self
            .client
            .create_db_snapshot()
            .db_instance_identifier(of.name.as_str());
        let request = request
            .db_snapshot_identifier(id.as_str())
            .set_tags(tags_to_sdk(tags));
        let answer = self.act(CREATE_SNAPSHOT, || request.clone().send()).await?;
        let snapshot = answer
            .db_snapshot()
            .ok_or_else(|| Error::incomplete(CREATE_SNAPSHOT, "DBSnapshot"))?;
        Snapshot::from_sdk(CREATE_SNAPSHOT, snapshot)
    }

    /// Deletes a snapshot, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn delete_snapshot(&self, seen: &Snapshot) -> Result<(), Error> {
        self.identify_snapshot(DELETE_SNAPSHOT, seen).await?;
        let request = self
            .client
            .delete_db_snapshot()
            .db_snapshot_identifier(seen.id.as_str());
        self.act(DELETE_SNAPSHOT, || request.clone().send()).await?;
        Ok(())
    }

    /// Starts making an instance from a snapshot.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for a setting that the request
    /// has no member for.
    pub async fn restore_instance(&self, request: &RestoreInstance) -> Result<Instance, Error> {
        let input = attributes::set_at_restore(
            RestoreDbInstanceFromDbSnapshotInputBuilder::default(),
            &request.settings,
        )?
        .db_instance_identifier(request.identifier.as_str())
        .db_snapshot_identifier(request.snapshot.as_str())
        .set_tags(tags_to_sdk(&request.tags));
        let answer = self
            .act(RESTORE_INSTANCE, || input.clone().send_with(&self.client))
            .await?;
        read_instance(RESTORE_INSTANCE, answer.db_instance())
    }

    /// Starts changing settings at once, together with every change that is pending.
    ///
    /// RDS may accept a change and fail it later: then the instance is `available` as before,
    /// and only an [`Event`](crate::Event) says so.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for a setting that the request
    /// has no member for, and for the name: see [`Rds::rename_instance`].
    pub async fn modify_instance(
        &self,
        of: &Identified,
        settings: &Settings,
    ) -> Result<Instance, Error> {
        if settings.contains_key("DBInstanceIdentifier") {
            return Err(Error::refused(
                MODIFY_INSTANCE,
                "a rename is a call of its own".to_owned(),
            ));
        }
        let current = self.identify(MODIFY_INSTANCE, of).await?;
        let input = attributes::set_by_modify(modify_now(of), settings, &current.settings)?;
        self.modify(of, input).await
    }

    /// Starts renaming an instance, at once.
    ///
    /// # Errors
    /// Every class; [`Class::Invalid`](crate::Class::Invalid) also for the name it has, because
    /// RDS reboots an instance that is renamed to itself.
    pub async fn rename_instance(
        &self,
        of: &Identified,
        to: &DbIdentifier,
    ) -> Result<Instance, Error> {
        if of.name == *to {
            return Err(Error::refused(
                MODIFY_INSTANCE,
                format!("{to} already has that name"),
            ));
        }
        self.identify(MODIFY_INSTANCE, of).await?;
        self.modify(of, modify_now(of).new_db_instance_identifier(to.as_str()))
            .await
    }

    /// Starts rebooting an instance.
    ///
    /// # Errors
    /// Every class.
    pub async fn reboot_instance(&self, of: &Identified) -> Result<Instance, Error> {
        self.identify(REBOOT_INSTANCE, of).await?;
        let _changing = self.shared.pages.changing(&of.resource);
        let request = self
            .client
            .reboot_db_instance()
            .db_instance_identifier(of.name.as_str());
        let answer = self.act(REBOOT_INSTANCE, || request.clone().send()).await?;
        read_instance(REBOOT_INSTANCE, answer.db_instance())
    }

    /// Starts deleting an instance. RDS's own default deletes its automated backups with it, so
    /// what becomes of them is always said.
    ///
    /// # Errors
    /// Every class.
    pub async fn delete_instance(
        &self,
        of: &Identified,
        final_snapshot: &FinalSnapshot,
        backups: AutomatedBackups,
    ) -> Result<Instance, Error> {
        self.identify(DELETE_INSTANCE, of).await?;
        let _changing = self.shared.pages.changing(&of.resource);
        let request = self
            .client
            .delete_db_instance()
            .db_instance_identifier(of.name.as_str())
            .delete_automated_backups(backups == AutomatedBackups::Delete);
        let request = match final_snapshot {
            FinalSnapshot::Skip => request.skip_final_snapshot(true),
            FinalSnapshot::Create(id) => request
                .skip_final_snapshot(false)
                .final_db_snapshot_identifier(id.as_str()),
        };
        let answer = self.act(DELETE_INSTANCE, || request.clone().send()).await?;
        read_instance(DELETE_INSTANCE, answer.db_instance())
    }

    /// Adds tags to an instance; those with the same keys are replaced.
    ///
    /// # Errors
    /// Every class.
    pub async fn add_instance_tags(&self, of: &Identified, tags: &Tags) -> Result<(), Error> {
        let instance = self.identify(ADD_TAGS, of).await?;
        let _changing = self.shared.pages.changing(&of.resource);
        self.add_tags(instance.arn.as_str(), tags).await
    }

    /// Removes tags from an instance; keys that it has not are passed over.
    ///
    /// # Errors
    /// Every class.
    pub async fn remove_instance_tags(&self, of: &Identified, keys: &[&str]) -> Result<(), Error> {
        let instance = self.identify(REMOVE_TAGS, of).await?;
        let _changing = self.shared.pages.changing(&of.resource);
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let request = self
            .client
            .remove_tags_from_resource()
            .resource_name(instance.arn.as_str());
        let request = request.set_tag_keys(Some(keys));
        self.act(REMOVE_TAGS, || request.clone().send()).await?;
        Ok(())
    }

    /// Adds tags to a snapshot, provided that it is still the one that was seen.
    ///
    /// # Errors
    /// Every class.
    pub async fn add_snapshot_tags(&self, seen: &Snapshot, tags: &Tags) -> Result<(), Error> {
        self.identify_snapshot(ADD_TAGS, seen).await?;
        self.add_tags(seen.arn.as_str(), tags).await
    }

    async fn add_tags(&self, arn: &str, tags: &Tags) -> Result<(), Error> {
        let request = self
            .client
            .add_tags_to_resource()
            .resource_name(arn)
            .set_tags(tags_to_sdk(tags));
        self.act(ADD_TAGS, || request.clone().send()).await?;
        Ok(())
    }

    async fn modify(
        &self,
        of: &Identified,
        input: ModifyDbInstanceInputBuilder,
    ) -> Result<Instance, Error> {
        let _changing = self.shared.pages.changing(&of.resource);
        let answer = self
            .act(MODIFY_INSTANCE, || input.clone().send_with(&self.client))
            .await?;
        read_instance(MODIFY_INSTANCE, answer.db_instance())
    }

    /// Reads the database that has the name now, and refuses unless it is the one meant.
    async fn identify(&self, operation: &'static str, of: &Identified) -> Result<Instance, Error> {
        let Some(instance) = self.instance(&of.name).await? else {
            return Err(Error::not_found(
                operation,
                "DBInstanceNotFound",
                of.name.as_str(),
            ));
        };
        if instance.resource_id == of.resource {
            return Ok(instance);
        }
        let name = of.name.as_str();
        Err(Error::mismatch(
            operation,
            name,
            &of.resource,
            &instance.resource_id,
        ))
    }

    /// Reads the snapshot that has the name now, and refuses unless it is the one seen. Snapshots
    /// have no identity of their own; their source and the time of their making stand for it.
    async fn identify_snapshot(
        &self,
        operation: &'static str,
        seen: &Snapshot,
    ) -> Result<(), Error> {
        let Some(found) = self.snapshot(&seen.id).await? else {
            return Err(Error::not_found(
                operation,
                "DBSnapshotNotFound",
                seen.id.as_str(),
            ));
        };
        let is_same_time = seen.created_at.is_none() || seen.created_at == found.created_at;
        if is_same_time && seen.source_resource == found.source_resource && seen.arn == found.arn {
            return Ok(());
        }
        let identity = |snapshot: &Snapshot| match (&snapshot.source_resource, snapshot.created_at)
        {
            (Some(source), Some(at)) => format!("the snapshot of {source} made at {at}"),
            (_, _) => format!("a snapshot of {}", snapshot.source),
        };
        Err(Error::mismatch(
            operation,
            seen.id.as_str(),
            identity(seen),
            identity(&found),
        ))
    }
}

/// Begins a modify request that does not wait for the maintenance window.
fn modify_now(of: &Identified) -> ModifyDbInstanceInputBuilder {
    ModifyDbInstanceInputBuilder::default()
        .db_instance_identifier(of.name.as_str())
        .apply_immediately(true)
}

fn read_instance(
    operation: &'static str,
    instance: Option<&sdk::DbInstance>,
) -> Result<Instance, Error> {
    Instance::from_sdk(
        operation,
        instance.ok_or_else(|| Error::incomplete(operation, "DBInstance"))?,
    )
}
