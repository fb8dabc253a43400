//! Looks at instances, snapshots and events. Every answer was sent after the question.

use aws_sdk_rds::types::{Filter, SourceType};
use jiff::Timestamp;

use crate::convert::{date_time, timestamp};
use crate::error::{Class, Error};
use crate::id::{DbIdentifier, ResourceId, SnapshotRef};
use crate::instance::Instance;
use crate::rds::Rds;
use crate::snapshot::Snapshot;

pub(crate) const DESCRIBE_INSTANCES: &str = "DescribeDBInstances";
const DESCRIBE_SNAPSHOTS: &str = "DescribeDBSnapshots";
const DESCRIBE_EVENTS: &str = "DescribeEvents";

/// The largest page that RDS gives.
pub(crate) const PAGE_RECORDS: i32 = 100;

/// Something that RDS says has happened, among it the failures of what it does asynchronously.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Option<Timestamp>,
    /// What happened, for people.
    pub message: String,
    /// RDS's categories, for instance `failure`.
    pub categories: Vec<String>,
}

impl Rds {
    /// Looks an instance up by its name.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn instance(&self, id: &DbIdentifier) -> Result<Option<Instance>, Error> {
        let send = || {
            self.client
                .describe_db_instances()
                .db_instance_identifier(id.as_str())
                .send()
        };
        let page = match self.read(DESCRIBE_INSTANCES, send).await {
            Ok(page) => page,
            Err(error) if error.class == Class::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A server may match more loosely than asked; the name decides.
        let named = |instance: &Instance| instance.identifier == *id;
        let instances = page
            .db_instances()
            .iter()
            .map(|instance| Instance::from_sdk(DESCRIBE_INSTANCES, instance));
        Ok(instances
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .find(named))
    }

    /// Looks an instance up by its identity, whatever it is called now.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn instance_by_resource(&self, id: &ResourceId) -> Result<Option<Instance>, Error> {
        let instances = self.instances_by_resource(std::slice::from_ref(id)).await?;
        Ok(instances
            .into_iter()
            .find(|instance| instance.resource_id == *id))
    }

    /// Looks up to a page's worth of instances up by their identities; those that don't exist
    /// are missing from the answer.
    pub(crate) async fn instances_by_resource(
        &self,
        ids: &[ResourceId],
    ) -> Result<Vec<Instance>, Error> {
        let values = ids.iter().map(|id| id.as_str().to_owned()).collect();
        let filter = Filter::builder()
            .name("dbi-resource-id")
            .set_values(Some(values))
            .build();
        let mut instances = Vec::new();
        let mut marker = None;
        loop {
            let request = self
                .client
                .describe_db_instances()
                .filters(filter.clone())
                .max_records(PAGE_RECORDS);
            let page = self
                .read(DESCRIBE_INSTANCES, || {
                    request.clone().set_marker(marker.clone()).send()
                })
                .await?;
            for instance in page.db_instances() {
                instances.push(Instance::from_sdk(DESCRIBE_INSTANCES, instance)?);
            }
            marker = page.marker;
            if marker.is_none() {
                return Ok(instances);
            }
        }
    }

    /// Looks a snapshot up.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn snapshot(&self, id: &SnapshotRef) -> Result<Option<Snapshot>, Error> {
        let send = || {
            self.client
                .describe_db_snapshots()
                .db_snapshot_identifier(id.as_str())
                .send()
        };
        let page = match self.read(DESCRIBE_SNAPSHOTS, send).await {
            Ok(page) => page,
            Err(error) if error.class == Class::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let snapshots = page.db_snapshots().iter();
        let named =
            |snapshot: &Snapshot| snapshot.id == *id || snapshot.arn.as_str() == id.as_str();
        let snapshots = snapshots.map(|snapshot| Snapshot::from_sdk(DESCRIBE_SNAPSHOTS, snapshot));
        Ok(snapshots
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .find(named))
    }

    /// Lists the snapshots of every kind that were made of an instance of this name.
    ///
    /// # Errors
    /// Every class; a name without snapshots is an empty list.
    pub async fn snapshots_of(&self, source: &DbIdentifier) -> Result<Vec<Snapshot>, Error> {
        let mut snapshots = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self
                .client
                .describe_db_snapshots()
                .db_instance_identifier(source.as_str());
            let request = request.max_records(PAGE_RECORDS);
            let page = match self
                .read(DESCRIBE_SNAPSHOTS, || {
                    request.clone().set_marker(marker.clone()).send()
                })
                .await
            {
                Ok(page) => page,
                Err(error) if error.class == Class::NotFound => return Ok(snapshots),
                Err(error) => return Err(error),
            };
            for snapshot in page.db_snapshots() {
                snapshots.push(Snapshot::from_sdk(DESCRIBE_SNAPSHOTS, snapshot)?);
            }
            marker = page.marker;
            if marker.is_none() {
                return Ok(snapshots);
            }
        }
    }

    /// Lists what RDS says has happened to an instance since an instant, oldest first.
    ///
    /// Events belong to names, not to identities, and some are lost: they explain a failure,
    /// they never prove a success.
    ///
    /// # Errors
    /// Every class.
    pub async fn events(
        &self,
        source: &DbIdentifier,
        since: Timestamp,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let request = self
                .client
                .describe_events()
                .source_identifier(source.as_str());
            let request = request
                .source_type(SourceType::DbInstance)
                .start_time(date_time(since));
            let request = request.max_records(PAGE_RECORDS);
            let page = self
                .read(DESCRIBE_EVENTS, || {
                    request.clone().set_marker(marker.clone()).send()
                })
                .await?;
            events.extend(page.events().iter().map(|event| Event {
                at: timestamp(event.date()),
                message: event.message().unwrap_or_default().to_owned(),
                categories: event.event_categories().to_vec(),
            }));
            marker = page.marker;
            if marker.is_none() {
                events.sort_by_key(|event| event.at);
                return Ok(events);
            }
        }
    }
}
