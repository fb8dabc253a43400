//! Looks at databases and events. Every answer was sent after the question.

use std::future::Future;

use aws_sdk_rds::config::http::HttpResponse;
use aws_sdk_rds::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_rds::types::{Filter, SourceType};
use jiff::Timestamp;

use crate::convert::{date_time, timestamp};
use crate::database::{Database, Kind};
use crate::error::{Class, Error};
use crate::id::{DbIdentifier, ResourceId};
use crate::rds::Rds;

pub(crate) const DESCRIBE_INSTANCES: &str = "DescribeDBInstances";
pub(crate) const DESCRIBE_CLUSTERS: &str = "DescribeDBClusters";
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
    /// Looks a DB instance up by its name.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn instance(&self, id: &DbIdentifier) -> Result<Option<Database>, Error> {
        self.database(Kind::Instance, id).await
    }

    /// Looks a DB cluster up by its name.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn cluster(&self, id: &DbIdentifier) -> Result<Option<Database>, Error> {
        self.database(Kind::Cluster, id).await
    }

    /// Looks a database up by its name.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn database(&self, kind: Kind, id: &DbIdentifier) -> Result<Option<Database>, Error> {
        let databases = match kind {
            Kind::Instance => {
                let request = self.client.describe_db_instances();
                let request = request.db_instance_identifier(id.as_str());
                let page = self.read(DESCRIBE_INSTANCES, || request.clone().send());
                none_if_missing(page.await)?.map(|page| instances(page.db_instances()))
            }
            Kind::Cluster => {
                let request = self.client.describe_db_clusters();
                let request = request.db_cluster_identifier(id.as_str());
                let page = self.read(DESCRIBE_CLUSTERS, || request.clone().send());
                none_if_missing(page.await)?.map(|page| clusters(page.db_clusters()))
            }
        };
        // A server may match more loosely than asked; the name decides.
        let databases = databases.transpose()?.unwrap_or_default();
        Ok(databases
            .into_iter()
            .find(|database| database.identifier == *id))
    }

    /// Looks a database up by its identity, whatever it is called now.
    ///
    /// # Errors
    /// Every class but [`Class::NotFound`], which is `None`.
    pub async fn database_by_resource(
        &self,
        kind: Kind,
        id: &ResourceId,
    ) -> Result<Option<Database>, Error> {
        let databases = self.databases_by_resource(kind, std::slice::from_ref(id));
        Ok(databases
            .await?
            .into_iter()
            .find(|database| database.resource_id == *id))
    }

    /// Looks up to a page's worth of databases up by their identities; those that don't exist
    /// are missing from the answer.
    ///
    /// # Errors
    /// Every class.
    pub async fn databases_by_resource(
        &self,
        kind: Kind,
        ids: &[ResourceId],
    ) -> Result<Vec<Database>, Error> {
        let name = match kind {
            Kind::Instance => "dbi-resource-id",
            Kind::Cluster => "db-cluster-resource-id",
        };
        let values = ids.iter().map(|id| id.as_str().to_owned()).collect();
        self.databases_where(kind, name, values).await
    }

    /// Looks up to a page's worth of DB instances up by their names; those that don't exist are
    /// missing from the answer.
    ///
    /// # Errors
    /// Every class.
    pub async fn instances_named(&self, names: &[DbIdentifier]) -> Result<Vec<Database>, Error> {
        let values = names.iter().map(|name| name.as_str().to_owned()).collect();
        let found = self.databases_where(Kind::Instance, "db-instance-id", values);
        let mut found = found.await?;
        found.retain(|found| names.contains(&found.identifier));
        Ok(found)
    }

    /// Lists the members of a cluster of this name.
    ///
    /// # Errors
    /// Every class; a cluster without members, or none of this name, is an empty list.
    pub async fn members_of(&self, cluster: &DbIdentifier) -> Result<Vec<Database>, Error> {
        let values = vec![cluster.as_str().to_owned()];
        let found = self.databases_where(Kind::Instance, "db-cluster-id", values);
        let mut members = found.await?;
        members.retain(|member| member.cluster.as_ref() == Some(cluster));
        Ok(members)
    }

    async fn databases_where(
        &self,
        kind: Kind,
        name: &str,
        values: Vec<String>,
    ) -> Result<Vec<Database>, Error> {
        let filter = Filter::builder().name(name).set_values(Some(values));
        let filter = filter.build();
        match kind {
            Kind::Instance => {
                let request = self.client.describe_db_instances().filters(filter);
                let request = request.max_records(PAGE_RECORDS);
                let found = self.read_pages(
                    DESCRIBE_INSTANCES,
                    |marker| request.clone().set_marker(marker).send(),
                    |page| (page.db_instances.unwrap_or_default(), page.marker),
                );
                instances(&found.await?)
            }
            Kind::Cluster => {
                let request = self.client.describe_db_clusters().filters(filter);
                let request = request.max_records(PAGE_RECORDS);
                let found = self.read_pages(
                    DESCRIBE_CLUSTERS,
                    |marker| request.clone().set_marker(marker).send(),
                    |page| (page.db_clusters.unwrap_or_default(), page.marker),
                );
                clusters(&found.await?)
            }
        }
    }

    /// Lists what RDS says has happened to a database since an instant, oldest first.
    ///
    /// Events belong to names, not to identities, and some are lost: they explain a failure,
    /// they never prove a success.
    ///
    /// # Errors
    /// Every class.
    pub async fn events(
        &self,
        kind: Kind,
        source: &DbIdentifier,
        since: Timestamp,
    ) -> Result<Vec<Event>, Error> {
        let source_type = match kind {
            Kind::Instance => SourceType::DbInstance,
            Kind::Cluster => SourceType::DbCluster,
        };
        let request = self.client.describe_events().source_type(source_type);
        let request = request.source_identifier(source.as_str());
        let request = request
            .start_time(date_time(since))
            .max_records(PAGE_RECORDS);
        let found = self.read_pages(
            DESCRIBE_EVENTS,
            |marker| request.clone().set_marker(marker).send(),
            |page| (page.events.unwrap_or_default(), page.marker),
        );
        let mut events: Vec<Event> = found
            .await?
            .into_iter()
            .map(|event| Event {
                at: timestamp(event.date()),
                message: event.message.unwrap_or_default(),
                categories: event.event_categories.unwrap_or_default(),
            })
            .collect();
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    /// Reads a list to its last page. `open` takes a page apart into its records and the marker
    /// of the next one.
    pub(crate) async fn read_pages<Page, Record, E, F>(
        &self,
        operation: &'static str,
        send: impl Fn(Option<String>) -> F,
        open: impl Fn(Page) -> (Vec<Record>, Option<String>),
    ) -> Result<Vec<Record>, Error>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<Page, SdkError<E, HttpResponse>>>,
    {
        let mut records = Vec::new();
        let mut marker = None;
        loop {
            let page = self.read(operation, || send(marker.clone())).await?;
            let (found, next) = open(page);
            records.extend(found);
            if next.is_none() {
                return Ok(records);
            }
            marker = next;
        }
    }
}

/// Reads an answer in which RDS says by an error that something isn't there.
pub(crate) fn none_if_missing<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.class == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn instances(found: &[aws_sdk_rds::types::DbInstance]) -> Result<Vec<Database>, Error> {
    let found = found.iter();
    found
        .map(|instance| Database::from_instance(DESCRIBE_INSTANCES, instance))
        .collect()
}

fn clusters(found: &[aws_sdk_rds::types::DbCluster]) -> Result<Vec<Database>, Error> {
    let found = found.iter();
    found
        .map(|cluster| Database::from_cluster(DESCRIBE_CLUSTERS, cluster))
        .collect()
}
