//! Between the SDK's types and JSON: what an attribute's value looks like in [`Settings`].
//!
//! [`Settings`]: super::Settings

use std::collections::BTreeMap;

use aws_sdk_rds::types::{
    ActivityStreamMode, ActivityStreamPolicyStatus, ActivityStreamStatus, AdditionalStorageVolume,
    AdditionalStorageVolumeOutput, AutomationMode, CloudwatchLogsExportConfiguration,
    ClusterScalabilityType, DatabaseInsightsMode, DbClusterAssociatedRole,
    MasterUserAuthenticationType, ModifyAdditionalStorageVolume, ProcessorFeature,
    RdsCustomClusterConfiguration, ReplicaMode, ScalingConfiguration, ScalingConfigurationInfo,
    ServerlessV2ScalingConfiguration, ServerlessV2ScalingConfigurationInfo, Tag, TagSpecification,
    UpgradeRolloutOrder,
};
use serde_json::{Map, Value};

/// A member of an answer that becomes a setting.
pub(super) trait ToSetting {
    fn to_setting(&self) -> Option<Value>;
}

/// A member of a request that a setting becomes; `None` when the setting has another form.
pub(super) trait FromSetting: Sized {
    fn from_setting(value: &Value) -> Option<Self>;
}

/// Reads the setting as whatever type the request's member has.
pub(super) fn read<T: FromSetting>(value: &Value) -> Option<T> {
    T::from_setting(value)
}

/// Reads the member `$member` of an answer.
macro_rules! shown {
    ($member:ident) => {
        |answer| answer.$member.to_setting()
    };
}
pub(super) use shown;

impl<T: ToSetting> ToSetting for Option<T> {
    fn to_setting(&self) -> Option<Value> {
        self.as_ref()?.to_setting()
    }
}

impl ToSetting for String {
    fn to_setting(&self) -> Option<Value> {
        (!self.is_empty()).then(|| Value::from(self.as_str()))
    }
}

impl FromSetting for String {
    fn from_setting(value: &Value) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl ToSetting for bool {
    fn to_setting(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
}

impl FromSetting for bool {
    fn from_setting(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! numbers {
    ($($number:ident: $read:expr;)*) => {$(
        impl ToSetting for $number {
            fn to_setting(&self) -> Option<Value> {
                Some(Value::from(*self))
            }
        }

        impl FromSetting for $number {
            fn from_setting(value: &Value) -> Option<Self> {
                let read: fn(&Value) -> Option<Self> = $read;
                read(value)
            }
        }
    )*};
}

numbers!(
    i32: |value| i32::try_from(value.as_i64()?).ok();
    i64: Value::as_i64;
    f64: Value::as_f64;
);

impl ToSetting for Vec<String> {
    fn to_setting(&self) -> Option<Value> {
        sorted_list(self.iter().cloned())
    }
}

impl FromSetting for Vec<String> {
    fn from_setting(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(read).collect()
    }
}

macro_rules! text_enum {
    ($($name:ident),*) => {$(
        impl ToSetting for $name {
            fn to_setting(&self) -> Option<Value> {
                Some(Value::from(self.as_str()))
            }
        }

        impl FromSetting for $name {
            fn from_setting(value: &Value) -> Option<Self> {
                value.as_str().map($name::from)
            }
        }
    )*};
}

text_enum!(
    ActivityStreamMode,
    ActivityStreamPolicyStatus,
    ActivityStreamStatus,
    AutomationMode,
    ClusterScalabilityType,
    DatabaseInsightsMode,
    MasterUserAuthenticationType,
    ReplicaMode,
    UpgradeRolloutOrder
);

/// What an answer shows of a structure, and the structure of a request that has the same members.
macro_rules! structure {
    ($shown:ident, $asked:ident { $($name:literal: $field:ident,)* }) => {
        impl ToSetting for $shown {
            fn to_setting(&self) -> Option<Value> {
                let members = [$(($name, self.$field.to_setting()),)*];
                let set = members
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)));
                let set: Map<String, Value> = set.collect();
                (!set.is_empty()).then_some(Value::Object(set))
            }
        }

        impl FromSetting for $asked {
            fn from_setting(value: &Value) -> Option<Self> {
                let members = value.as_object()?;
                let mut structure = $asked::builder().build();
                $(if let Some(value) = members.get($name) {
                    structure.$field = Some(read(value)?);
                })*
                Some(structure)
            }
        }
    };
}

structure!(ScalingConfigurationInfo, ScalingConfiguration {
    "MinCapacity": min_capacity,
    "MaxCapacity": max_capacity,
    "AutoPause": auto_pause,
    "SecondsUntilAutoPause": seconds_until_auto_pause,
    "TimeoutAction": timeout_action,
    "SecondsBeforeTimeout": seconds_before_timeout,
});

structure!(ServerlessV2ScalingConfigurationInfo, ServerlessV2ScalingConfiguration {
    "MinCapacity": min_capacity,
    "MaxCapacity": max_capacity,
    "SecondsUntilAutoPause": seconds_until_auto_pause,
});

/// The capacity of Serverless v2. When it pauses is said only of what can pause: whose least
/// capacity is nothing.
pub(super) fn serverless_v2(value: &Value) -> Option<ServerlessV2ScalingConfiguration> {
    let mut capacity: ServerlessV2ScalingConfiguration = read(value)?;
    if capacity.min_capacity != Some(0.0) {
        capacity.seconds_until_auto_pause = None;
    }
    Some(capacity)
}

structure!(RdsCustomClusterConfiguration, RdsCustomClusterConfiguration {
    "InterconnectSubnetId": interconnect_subnet_id,
    "TransitGatewayMulticastDomainId": transit_gateway_multicast_domain_id,
    "ReplicaMode": replica_mode,
});

impl ToSetting for Vec<ProcessorFeature> {
    fn to_setting(&self) -> Option<Value> {
        object(
            self.iter()
                .filter_map(|feature| Some((feature.name()?, feature.value()?))),
        )
    }
}

impl FromSetting for Vec<ProcessorFeature> {
    fn from_setting(value: &Value) -> Option<Self> {
        let features = value.as_object()?.iter();
        features
            .map(|(name, value)| {
                Some(
                    ProcessorFeature::builder()
                        .name(name)
                        .value(value.as_str()?)
                        .build(),
                )
            })
            .collect()
    }
}

impl ToSetting for Vec<Tag> {
    fn to_setting(&self) -> Option<Value> {
        // Keys of AWS's own cannot be set, so they are not part of the configuration.
        let own = |key: &str| key.starts_with("aws:") || key.starts_with("rds:");
        let pairs = self
            .iter()
            .filter_map(|tag| Some((tag.key()?, tag.value().unwrap_or_default())));
        object(pairs.filter(|(key, _)| !own(key)))
    }
}

impl FromSetting for Vec<Tag> {
    fn from_setting(value: &Value) -> Option<Self> {
        let pairs = value.as_object()?.iter();
        pairs
            .map(|(key, value)| Some(Tag::builder().key(key).value(value.as_str()?).build()))
            .collect()
    }
}

/// The tags of an instance's automated backups: only backups have a specification of their own.
pub(super) fn backup_tags(tags: &Value) -> Option<TagSpecification> {
    tags_of("auto-backup", tags)
}

/// The tags of a cluster's automated backups.
pub(super) fn cluster_backup_tags(tags: &Value) -> Option<TagSpecification> {
    tags_of("cluster-auto-backup", tags)
}

fn tags_of(resource_type: &str, tags: &Value) -> Option<TagSpecification> {
    let tags = Some(read(tags)?);
    let specification = TagSpecification::builder().resource_type(resource_type);
    Some(specification.set_tags(tags).build())
}

/// A role with the feature that it serves, which a role of a cluster may lack.
pub(super) fn role(arn: Option<&str>, feature: Option<&str>) -> Option<String> {
    Some(format!("{} {}", feature.unwrap_or_default(), arn?))
}

impl FromSetting for Vec<DbClusterAssociatedRole> {
    fn from_setting(value: &Value) -> Option<Self> {
        let role = |role: &Value| {
            let (feature, arn) = role.as_str()?.split_once(' ')?;
            let feature = (!feature.is_empty()).then(|| feature.to_owned());
            let role = DbClusterAssociatedRole::builder().role_arn(arn);
            role.set_feature_name(feature).build().ok()
        };
        value.as_array()?.iter().map(role).collect()
    }
}

impl ToSetting for Vec<AdditionalStorageVolumeOutput> {
    fn to_setting(&self) -> Option<Value> {
        let volume = |volume: &AdditionalStorageVolumeOutput| -> Value {
            let members = [
                ("VolumeName", volume.volume_name.to_setting()),
                ("StorageType", volume.storage_type.to_setting()),
                ("AllocatedStorage", volume.allocated_storage.to_setting()),
                ("IOPS", volume.iops.to_setting()),
                ("StorageThroughput", volume.storage_throughput.to_setting()),
            ];
            let set = members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            set.collect::<Map<String, Value>>().into()
        };
        let mut volumes: Vec<Value> = self.iter().map(volume).collect();
        volumes.sort_by_key(|volume| volume["VolumeName"].to_string());
        (!volumes.is_empty()).then_some(Value::Array(volumes))
    }
}

macro_rules! storage_volume {
    ($($name:ident),*) => {$(
        impl FromSetting for Vec<$name> {
            fn from_setting(value: &Value) -> Option<Self> {
                let volume = |volume: &Value| {
                    $name::builder()
                        .set_volume_name(read(&volume["VolumeName"]))
                        .set_storage_type(read(&volume["StorageType"]))
                        .set_allocated_storage(read(&volume["AllocatedStorage"]))
                        .set_iops(read(&volume["IOPS"]))
                        .set_storage_throughput(read(&volume["StorageThroughput"]))
                        .build()
                };
                Some(value.as_array()?.iter().map(volume).collect())
            }
        }
    )*};
}

storage_volume!(AdditionalStorageVolume, ModifyAdditionalStorageVolume);

/// Returns the difference that a modify takes to get from the current log exports to those asked for.
pub(super) fn log_exports(
    asked: &Value,
    current: Option<&Value>,
) -> Option<CloudwatchLogsExportConfiguration> {
    let asked: Vec<String> = read(asked)?;
    let current: Vec<String> = current.map_or(Some(Vec::new()), read)?;
    // An empty list would still be sent, so that none is `None`.
    let absent_from = |list: &[String], of: &[String]| {
        let absent: Vec<String> = of
            .iter()
            .filter(|name| !list.contains(name))
            .cloned()
            .collect();
        (!absent.is_empty()).then_some(absent)
    };
    let configuration = CloudwatchLogsExportConfiguration::builder()
        .set_enable_log_types(absent_from(&current, &asked))
        .set_disable_log_types(absent_from(&asked, &current));
    Some(configuration.build())
}

/// Makes a sorted list; an empty one is none.
pub(super) fn sorted_list(items: impl Iterator<Item = String>) -> Option<Value> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    (!items.is_empty()).then(|| Value::from(items))
}

/// Makes an object with sorted keys; an empty one is none.
fn object<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Value> {
    let sorted: BTreeMap<&str, &str> = pairs.collect();
    let object: Map<String, Value> = sorted
        .into_iter()
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    (!object.is_empty()).then_some(Value::Object(object))
}
