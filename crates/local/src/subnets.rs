//! The one virtual network that local RDS pretends to have, and the subnet groups in it.

use serde_json::{Value, json};

use crate::state::group::SubnetGroup;
use crate::state::{Scope, State, Tags, arn};

/// The network that everything is in.
pub(crate) const VPC_ID: &str = "vpc-00000000";

/// The security group that an instance has when none is asked for.
pub(crate) const DEFAULT_SECURITY_GROUP: &str = "sg-00000000";

/// The zones of every region.
pub(crate) const ZONES: [&str; 3] = ["a", "b", "c"];

/// The group of that name; `default` is always there.
pub(crate) fn find(state: &State, scope: &Scope, name: &str) -> Option<SubnetGroup> {
    match state.subnet_groups.get(&scope.key(name)) {
        Some(group) => Some(group.clone()),
        None if name == "default" => Some(SubnetGroup {
            scope: scope.clone(),
            name: name.to_owned(),
            description: "default".to_owned(),
            subnet_ids: ZONES
                .iter()
                .map(|zone| format!("subnet-0000000{zone}"))
                .collect(),
            tags: Tags::default(),
        }),
        None => None,
    }
}

/// A group in the shape of `DBSubnetGroup`, by name.
pub(crate) fn describe(state: &State, scope: &Scope, name: &str) -> Value {
    find(state, scope, name).map_or(Value::Null, |group| describe_group(&group))
}

/// A group in the shape of `DBSubnetGroup`.
pub(crate) fn describe_group(group: &SubnetGroup) -> Value {
    let subnets = group
        .subnet_ids
        .iter()
        .zip(ZONES.iter().cycle())
        .map(|(id, zone)| {
            json!({
                "SubnetIdentifier": id,
                "SubnetAvailabilityZone": {"Name": format!("{}{zone}", group.scope.region)},
                "SubnetOutpost": {},
                "SubnetStatus": "Active",
            })
        });
    json!({
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": VPC_ID,
        "SubnetGroupStatus": "Complete",
        "Subnets": subnets.collect::<Vec<_>>(),
        "DBSubnetGroupArn": arn(&group.scope, "subgrp", &group.name),
        "SupportedNetworkTypes": ["IPV4"],
    })
}
