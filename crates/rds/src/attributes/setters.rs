//! How a setting gets into a request: one setter for each request that has a member for it.

use aws_sdk_rds::operation::create_db_instance::builders::CreateDbInstanceInputBuilder;
use aws_sdk_rds::operation::create_db_instance_read_replica::builders::CreateDbInstanceReadReplicaInputBuilder;
use aws_sdk_rds::operation::modify_db_cluster::builders::ModifyDbClusterInputBuilder;
use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDbInstanceInputBuilder;
use aws_sdk_rds::operation::restore_db_cluster_from_snapshot::builders::RestoreDbClusterFromSnapshotInputBuilder;
use aws_sdk_rds::operation::restore_db_cluster_to_point_in_time::builders::RestoreDbClusterToPointInTimeInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_from_db_snapshot::builders::RestoreDbInstanceFromDbSnapshotInputBuilder;
use aws_sdk_rds::operation::restore_db_instance_to_point_in_time::builders::RestoreDbInstanceToPointInTimeInputBuilder;
use serde_json::Value;

use super::{AttributeName, Settings, Subject, attribute};
use crate::error::Error;

/// Puts the value asked for into a request; `None` when the value has another form. It sees the
/// value at present, too, because some members take the difference.
pub(super) type Setter<Request> = fn(Request, &Value, Option<&Value>) -> Option<Request>;

/// A request that settings are put into.
pub(crate) trait Request: Sized {
    /// RDS's name for it.
    const OPERATION: &'static str;

    /// Picks the setter of an attribute for this request.
    fn setter(setters: &Setters) -> Option<Setter<Self>>;
}

macro_rules! requests {
    ($($field:ident: $request:ident = $operation:literal,)*) => {
        /// The setters of one attribute.
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct Setters {
            $(pub(super) $field: Option<Setter<$request>>,)*
        }

        impl Setters {
            /// No request has a member for it.
            pub(super) const NONE: Self = Self { $($field: None,)* };

            /// Adds the setters of `more`.
            pub(super) const fn and(mut self, more: Self) -> Self {
                $(if more.$field.is_some() {
                    self.$field = more.$field;
                })*
                self
            }
        }

        $(impl Request for $request {
            const OPERATION: &'static str = $operation;

            fn setter(setters: &Setters) -> Option<Setter<Self>> {
                setters.$field
            }
        })*
    };
}

requests! {
    restore: RestoreDbInstanceFromDbSnapshotInputBuilder = "RestoreDBInstanceFromDBSnapshot",
    point_in_time: RestoreDbInstanceToPointInTimeInputBuilder = "RestoreDBInstanceToPointInTime",
    replica: CreateDbInstanceReadReplicaInputBuilder = "CreateDBInstanceReadReplica",
    member: CreateDbInstanceInputBuilder = "CreateDBInstance",
    modify: ModifyDbInstanceInputBuilder = "ModifyDBInstance",
    cluster_restore: RestoreDbClusterFromSnapshotInputBuilder = "RestoreDBClusterFromSnapshot",
    cluster_point_in_time: RestoreDbClusterToPointInTimeInputBuilder = "RestoreDBClusterToPointInTime",
    cluster_modify: ModifyDbClusterInputBuilder = "ModifyDBCluster",
}

/// Makes [`Setters`]: the requests named in brackets have the member that `$setter` sets, to the
/// value as it is or to what `$make` makes of it.
macro_rules! by {
    ([$($request:ident),+] $setter:ident) => {
        $crate::attributes::setters::Setters {
            $($request: Some(|input, value, _| {
                Some(input.$setter(Some($crate::attributes::value::read(value)?)))
            }),)+
            ..$crate::attributes::setters::Setters::NONE
        }
    };
    ([$($request:ident),+] $setter:ident($make:path)) => {
        $crate::attributes::setters::Setters {
            $($request: Some(|input, value, _| Some(input.$setter($make(value)?))),)+
            ..$crate::attributes::setters::Setters::NONE
        }
    };
}
pub(super) use by;

/// Puts settings of a `subject` into a request. `current` are the settings at present, where
/// there is something yet.
pub(crate) fn fill<R: Request>(
    mut request: R,
    subject: Subject,
    settings: &Settings,
    current: &Settings,
) -> Result<R, Error> {
    for (name, value) in settings {
        let row = attribute(subject, *name);
        let setter = row.and_then(|row| R::setter(&row.setters));
        let setter = setter.ok_or_else(|| no_member(R::OPERATION, *name))?;
        request = setter(request, value, current.get(name))
            .ok_or_else(|| wrong_value(R::OPERATION, *name, value))?;
    }
    Ok(request)
}

fn no_member(operation: &'static str, name: AttributeName) -> Error {
    Error::refused(operation, format!("the request has no member for {name}"))
}

fn wrong_value(operation: &'static str, name: AttributeName, value: &Value) -> Error {
    Error::refused(operation, format!("{name} cannot be {value}"))
}
