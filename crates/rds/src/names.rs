//! Names of Route 53 that point at a database's endpoint. They are looked up only to be told: a
//! restore changes none, because the endpoint's own name stays.

use std::fmt;

use aws_sdk_route53::Client;
use aws_sdk_route53::error::DisplayErrorContext;
use aws_sdk_route53::types::{ResourceRecordSet, RrType};
use tokio::time::timeout;

use crate::error::{Class, Error};
use crate::rds::Rds;

const LIST_RECORDS: &str = "ListResourceRecordSets";
const LIST_ZONES: &str = "ListHostedZones";

/// A name that points at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointingName {
    /// The name, without the dot at its end.
    pub name: String,
    /// The kind of record, for instance `CNAME`.
    pub record: String,
}

impl fmt::Display for PointingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.record)
    }
}

impl Rds {
    /// Lists the names of all hosted zones that point at one of these addresses, by a CNAME or an
    /// alias. It is not counted among the calls to RDS.
    ///
    /// # Errors
    /// [`Class::NotImplemented`] where this door has no way to Route 53; else every class.
    pub async fn names_pointing_at(
        &self,
        addresses: &[String],
    ) -> Result<Vec<PointingName>, Error> {
        let client = self.names.as_ref().ok_or_else(|| Error {
            class: Class::NotImplemented,
            operation: LIST_ZONES,
            code: None,
            message: "Route 53 isn't asked here".to_owned(),
        })?;
        let limit = self.shared.limits.read_timeout;
        timeout(limit, look(client, addresses))
            .await
            .map_err(|_| Error::unanswered(LIST_ZONES, limit))?
    }
}

async fn look(client: &Client, addresses: &[String]) -> Result<Vec<PointingName>, Error> {
    let mut names = Vec::new();
    let mut zones = client.list_hosted_zones().into_paginator().send();
    while let Some(page) = zones.next().await {
        let page = page.map_err(|error| unreadable(LIST_ZONES, &DisplayErrorContext(error)))?;
        for zone in page.hosted_zones() {
            names.extend(look_in_zone(client, zone.id(), addresses).await?);
        }
    }
    Ok(names)
}

async fn look_in_zone(
    client: &Client,
    zone: &str,
    addresses: &[String],
) -> Result<Vec<PointingName>, Error> {
    let mut names = Vec::new();
    let request = client.list_resource_record_sets().hosted_zone_id(zone);
    let mut next: Option<ResourceRecordSet> = None;
    loop {
        let mut request = request.clone();
        if let Some(next) = &next {
            request = request
                .start_record_name(next.name())
                .start_record_type(next.r#type().clone())
                .set_start_record_identifier(next.set_identifier.clone());
        }
        let page = request
            .send()
            .await
            .map_err(|error| unreadable(LIST_RECORDS, &DisplayErrorContext(error)))?;
        let records = page.resource_record_sets().iter();
        names.extend(
            records
                .filter(|record| points_at(record, addresses))
                .map(|record| PointingName {
                    name: record.name().trim_end_matches('.').to_owned(),
                    record: record.r#type().as_str().to_owned(),
                }),
        );
        let (Some(name), Some(kind)) = (page.next_record_name(), page.next_record_type()) else {
            return Ok(names);
        };
        let built = ResourceRecordSet::builder()
            .name(name)
            .r#type(kind.clone())
            .set_set_identifier(page.next_record_identifier.clone())
            .build();
        next = built.ok();
    }
}

fn points_at(record: &ResourceRecordSet, addresses: &[String]) -> bool {
    let is_ours = |to: &str| {
        let to = to.trim_end_matches('.');
        addresses
            .iter()
            .any(|address| address.eq_ignore_ascii_case(to))
    };
    let by_alias = record
        .alias_target()
        .is_some_and(|to| is_ours(to.dns_name()));
    let mut values = record.resource_records().iter();
    by_alias || (*record.r#type() == RrType::Cname && values.any(|value| is_ours(value.value())))
}

/// The SDK's error in words; that it could not be read is all that is ever done with it.
fn unreadable(operation: &'static str, error: &dyn fmt::Display) -> Error {
    Error {
        class: Class::Unknown,
        operation,
        code: None,
        message: error.to_string(),
    }
}
