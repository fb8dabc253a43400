//! Between the SDK's types and JSON: what an attribute's value looks like in [`Settings`].
//!
//! [`Settings`]: super::Settings

use std::collections::BTreeMap;

use aws_sdk_rds::types::{
    AdditionalStorageVolume, AdditionalStorageVolumeOutput, AutomationMode,
    CloudwatchLogsExportConfiguration, DatabaseInsightsMode, MasterUserAuthenticationType,
    ModifyAdditionalStorageVolume, ProcessorFeature, ReplicaMode, Tag, TagSpecification,
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

impl ToSetting for i32 {
    fn to_setting(&self) -> Option<Value> {
        Some(Value::from(*self))
    }
}

impl FromSetting for i32 {
    fn from_setting(value: &Value) -> Option<Self> {
        i32::try_from(value.as_i64()?).ok()
    }
}

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
    AutomationMode,
    DatabaseInsightsMode,
    MasterUserAuthenticationType,
    ReplicaMode
);

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

/// The tags of the automated backups, the only ones with a specification of their own.
impl FromSetting for Vec<TagSpecification> {
    fn from_setting(value: &Value) -> Option<Self> {
        let tags = Some(read(value)?);
        Some(vec![
            TagSpecification::builder()
                .resource_type("auto-backup")
                .set_tags(tags)
                .build(),
        ])
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
