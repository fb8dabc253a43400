//! What the input says of other accounts and Regions: where the snapshot is restored, as whom, and
//! with which groups and keys of each place. The Python tool's keys are among these, in its spelling.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use trapheus_rds::{Account, AccountId, RegionId};

use super::InputError;
use super::fields::Fields;

/// Where a snapshot is restored: in each of the Regions of each of the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// The accounts; empty for the snapshot's own.
    pub accounts: Vec<AccountId>,
    /// The Regions; empty for the snapshot's own.
    pub regions: Vec<RegionId>,
    /// The role that is assumed in each account, by its name or ARN.
    pub role: Option<String>,
    /// The VPC that the restored databases are in.
    pub vpc: Option<String>,
    /// The key that a snapshot is encrypted with to be shared, where its own does not allow it.
    pub share_key: Option<String>,
    /// What is different from place to place.
    pub places: Vec<Place>,
}

/// What holds for some of the accounts and Regions: for all that it doesn't exclude.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Place {
    /// The account; none for all.
    pub account: Option<AccountId>,
    /// The Region; none for all.
    pub region: Option<RegionId>,
    /// The role that is assumed, by its name or ARN.
    pub role: Option<String>,
    /// What the role's trust policy asks for besides.
    pub external_id: Option<String>,
    /// The subnet group.
    #[serde(rename = "dbSubnetGroupName")]
    pub subnet_group: Option<String>,
    /// The security groups.
    #[serde(rename = "vpcSecurityGroupIds")]
    pub security_groups: Option<Vec<String>>,
    /// The parameter group of an instance or of a cluster's members.
    #[serde(rename = "dbParameterGroupName")]
    pub parameter_group: Option<String>,
    /// The parameter group of a cluster.
    #[serde(rename = "dbClusterParameterGroupName")]
    pub cluster_parameter_group: Option<String>,
    /// The option group.
    #[serde(rename = "optionGroupName")]
    pub option_group: Option<String>,
    /// The key that encrypts the restored database.
    #[serde(rename = "kmsKeyId")]
    pub kms_key: Option<String>,
}

impl Place {
    /// Whether it holds for an account and a Region.
    pub fn holds_for(&self, account: &AccountId, region: &RegionId) -> bool {
        self.account.as_ref().is_none_or(|only| only == account)
            && self.region.as_ref().is_none_or(|only| only == region)
    }

    /// The same with what another one says.
    #[must_use]
    pub fn with(self, other: &Place) -> Self {
        let other = other.clone();
        Self {
            account: other.account.or(self.account),
            region: other.region.or(self.region),
            role: other.role.or(self.role),
            external_id: other.external_id.or(self.external_id),
            subnet_group: other.subnet_group.or(self.subnet_group),
            security_groups: other.security_groups.or(self.security_groups),
            parameter_group: other.parameter_group.or(self.parameter_group),
            cluster_parameter_group: other
                .cluster_parameter_group
                .or(self.cluster_parameter_group),
            option_group: other.option_group.or(self.option_group),
            kms_key: other.kms_key.or(self.kms_key),
        }
    }
}

/// The keys of a place, for people.
const PLACE: &str = r#"a list of objects with `account`, `region` and what holds there: `role`, `externalId`, `dbSubnetGroupName`, `vpcSecurityGroupIds`, `dbParameterGroupName`, `dbClusterParameterGroupName`, `optionGroupName`, `kmsKeyId`"#;

/// One or more texts or numbers: in a list, or in one text with commas between them.
struct Words(Vec<String>);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        fn words(value: &Value) -> Option<Vec<String>> {
            match value {
                Value::String(text) => {
                    Some(text.split(',').map(|word| word.trim().to_owned()).collect())
                }
                Value::Number(number) => Some(vec![number.to_string()]),
                Value::Array(values) => {
                    let words: Option<Vec<_>> = values.iter().map(words).collect();
                    words.map(|words| words.concat())
                }
                _ => None,
            }
        }
        let value = Value::deserialize(source)?;
        words(&value)
            .map(Words)
            .ok_or_else(|| serde::de::Error::custom("neither a text nor a list of texts"))
    }
}

impl Fields<'_> {
    pub(super) fn targets(&self) -> Result<Option<Targets>, InputError> {
        let accounts = self.each("targetAccountIds", "accounts, such as `123456789012`")?;
        let regions = self.each("targetRegions", "Regions, such as `eu-west-1`")?;
        let vpc = self.read("vpcId", "a VPC, such as `vpc-1a2b3c4d`")?;
        let role = self.read("AutomationAssumeRole", "a role's name or ARN")?;
        let share_key = self.read("shareKmsKeyId", "a key's ARN, id or alias")?;
        let places: Option<Vec<Place>> = self.read("targets", PLACE)?;
        if accounts.is_none() && regions.is_none() {
            let others = ["vpcId", "AutomationAssumeRole", "shareKmsKeyId", "targets"];
            return match others.iter().any(|key| self.value(key).is_some()) {
                true => Err(InputError::Missing("targetAccountIds")),
                false => Ok(None),
            };
        }
        let targets = Targets {
            accounts: accounts.unwrap_or_default(),
            regions: regions.unwrap_or_default(),
            role,
            vpc,
            share_key,
            places: places.unwrap_or_default(),
        };
        let names_another = |place: &Place| {
            let is_other = |own: &Option<AccountId>| {
                let own = own.as_ref();
                own.is_some_and(|own| {
                    !targets.accounts.is_empty() && !targets.accounts.contains(own)
                })
            };
            let region = place.region.as_ref();
            let is_elsewhere = region.is_some_and(|region| {
                !targets.regions.is_empty() && !targets.regions.contains(region)
            });
            is_other(&place.account) || is_elsewhere
        };
        if targets.places.iter().any(names_another) {
            return Err(InputError::Contradiction(
                "`targets` names an account or a Region that `targetAccountIds` and `targetRegions` do not",
            ));
        }
        Ok(Some(targets))
    }

    /// Where all of the execution's work is done; the input of the executions that are started for
    /// other accounts and Regions says it.
    pub(super) fn account(&self) -> Result<Option<Account>, InputError> {
        self.read(
            "account",
            r#"{"id": "123456789012", "region": "eu-west-1", "role": "arn:…", "externalId": "…"}"#,
        )
    }

    /// A list without repetitions.
    fn each<T: std::str::FromStr + PartialEq>(
        &self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<Vec<T>>, InputError> {
        let Some(Words(words)) = self.read(key, expected)? else {
            return Ok(None);
        };
        let mut all = Vec::new();
        for word in words {
            let one = word.parse().map_err(|_| self.wrong(key, expected))?;
            if !all.contains(&one) {
                all.push(one);
            }
        }
        Ok(Some(all))
    }
}
