//! Chaos: faults that nobody chose one by one. A seed and a rate for each kind decide which requests go wrong, and how;
//! the effects are those that can be armed by hand. It ends when its budget is spent or its time has come.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api::model::MODEL;
use crate::faults::Effect;
use crate::random::Draws;

/// What may happen to a request without anybody asking for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChaosKind {
    /// Refused: too many requests.
    Throttled,
    /// Refused with a code that the service model lists for the action, or that any action may answer with.
    Refused,
    /// Refused as if what it names were not there, or were there already.
    Misremembered,
    /// Refused: AWS has no room.
    NoCapacity,
    /// Refused: the account has too many of it.
    QuotaExceeded,
    /// RDS fails.
    Internal,
    /// It never comes to RDS, and the client sees a timeout.
    RequestLost,
    /// It is carried out, and the client sees a timeout.
    AnswerLost,
    /// A look that shows what was, a few seconds ago.
    Stale,
    /// The operation that it begins ends in a status that only a person ends.
    EndsBadly,
    /// The change that it asks for isn't made, and only an event says so.
    ModifyFails,
    /// The operation begins minutes or hours late.
    Late,
}

impl ChaosKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Throttled,
        Self::Refused,
        Self::Misremembered,
        Self::NoCapacity,
        Self::QuotaExceeded,
        Self::Internal,
        Self::RequestLost,
        Self::AnswerLost,
        Self::Stale,
        Self::EndsBadly,
        Self::ModifyFails,
        Self::Late,
    ];
}

impl fmt::Display for ChaosKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Throttled => "throttled",
            Self::Refused => "refused",
            Self::Misremembered => "misremembered",
            Self::NoCapacity => "no capacity",
            Self::QuotaExceeded => "quota exceeded",
            Self::Internal => "internal failure",
            Self::RequestLost => "request lost",
            Self::AnswerLost => "answer lost",
            Self::Stale => "stale answer",
            Self::EndsBadly => "ends badly",
            Self::ModifyFails => "modify fails later",
            Self::Late => "late",
        };
        formatter.pad(name)
    }
}

/// Which requests go wrong. It is its own generator: a copy goes on as the original does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chaos {
    /// Where the generator is.
    pub seed: u64,
    /// How many of a thousand requests to which a kind can happen it happens to.
    pub rates: BTreeMap<ChaosKind, u32>,
    /// How many faults there are at most; afterwards RDS is as good as it can be.
    pub budget: u64,
    /// The time from which on RDS is as good as it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only requests whose `User-Agent` begins so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// A fault that chaos brought about.
#[derive(Clone, Debug, PartialEq)]
pub struct Injected {
    /// When.
    pub at: Timestamp,
    /// Of which kind.
    pub kind: ChaosKind,
    /// The action that it happened to.
    pub action: String,
    /// What happened.
    pub effect: Effect,
}

/// One line for traces.
impl fmt::Display for Injected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, effect, .. } = self;
        write!(formatter, "{action} {effect}")
    }
}

/// Hears of every fault that chaos brings about.
pub type FaultListener = Arc<dyn Fn(&Injected) + Send + Sync>;

/// Looks are stale by no more: RDS's own account of it is "a few seconds".
pub(crate) const STALE_SECONDS_MAX: u32 = 15;

/// The longest time after which an operation begins.
const LATE_SECONDS_MAX: u32 = 3 * 3600;

/// What every action may be refused with, whatever the model lists for it.
const COMMON: [&str; 4] = [
    "AccessDenied",
    "ExpiredToken",
    "InvalidParameterValue",
    "UnauthorizedOperation",
];

/// The statuses in which what an action begins may end for good.
const BAD_ENDS: [(&str, &[&str]); 12] = [
    ("CreateDBInstance", MAKING),
    ("CreateDBInstanceReadReplica", MAKING),
    ("RestoreDBInstanceFromDBSnapshot", RESTORING),
    ("RestoreDBInstanceToPointInTime", RESTORING),
    (
        "ModifyDBInstance",
        &[
            "failed",
            "inaccessible-encryption-credentials",
            "incompatible-network",
            "incompatible-option-group",
            "incompatible-parameters",
            "storage-full",
            "upgrade-failed",
        ],
    ),
    ("RebootDBInstance", &["failed", "incompatible-parameters"]),
    ("RestoreDBClusterFromSnapshot", RESTORING_CLUSTER),
    ("RestoreDBClusterToPointInTime", RESTORING_CLUSTER),
    (
        "ModifyDBCluster",
        &["inaccessible-encryption-credentials", "upgrade-failed"],
    ),
    ("CreateDBSnapshot", &["failed"]),
    ("CreateDBClusterSnapshot", &["failed"]),
    ("CopyDBSnapshot", &["failed"]),
];
const MAKING: &[&str] = &[
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-create",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "insufficient-capacity",
];
const RESTORING: &[&str] = &[
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-network",
    "incompatible-option-group",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
    "storage-full",
];
const RESTORING_CLUSTER: &[&str] = &[
    "cloning-failed",
    "inaccessible-encryption-credentials",
    "incompatible-restore",
    "migration-failed",
    "restore-failed",
    "upgrade-failed",
];

impl Chaos {
    /// Everything that can happen does, to so many of a thousand requests each, so many times in all.
    pub fn of_every_kind(seed: u64, per_mille: u32, budget: u64) -> Self {
        Self {
            seed,
            rates: ChaosKind::ALL.map(|kind| (kind, per_mille)).into(),
            budget,
            until: None,
            agent: None,
        }
    }

    /// Decides about one request.
    pub(crate) fn strike(
        &mut self,
        action: &str,
        parameters: &BTreeMap<String, String>,
        agent: &str,
        now: Timestamp,
    ) -> Option<(ChaosKind, Effect)> {
        let is_meant = self
            .agent
            .as_ref()
            .is_none_or(|meant| agent.starts_with(meant.as_str()));
        if self.budget == 0 || self.until.is_some_and(|until| now >= until) || !is_meant {
            return None;
        }
        let mut draws = Draws(self.seed);
        let struck = self.rates.iter().find_map(|(kind, per_mille)| {
            let effect = effect(*kind, action, parameters, &mut draws)?;
            (draws.below(1000) < u64::from(*per_mille)).then_some((*kind, effect))
        });
        self.seed = draws.0;
        self.budget -= u64::from(struck.is_some());
        struck
    }

    /// Whether looks may show what was.
    pub(crate) fn looks_back(&self) -> bool {
        self.budget > 0 && self.rates.contains_key(&ChaosKind::Stale)
    }
}

/// What a kind does to a request; nothing where it can't happen.
fn effect(
    kind: ChaosKind,
    action: &str,
    parameters: &BTreeMap<String, String>,
    draws: &mut Draws,
) -> Option<Effect> {
    let is_look = is_look(action);
    let is_any_of = |words: &[&str], code: &str| words.iter().any(|word| code.contains(word));
    let mut refusal = |applies: &dyn Fn(&str) -> bool, common: &[&'static str]| {
        let listed = MODEL.errors(action).iter().copied();
        let fitting = listed.filter(|code| applies(code));
        let codes: Vec<_> = fitting.chain(common.iter().copied()).collect();
        refused(draws.pick(&codes)?)
    };
    const CAPACITY: [&str; 2] = ["Insufficient", "ProvisionedIopsNotAvailable"];
    const QUOTA: [&str; 1] = ["QuotaExceeded"];
    match kind {
        ChaosKind::Throttled => Some(Effect::Throttle),
        ChaosKind::Internal => Some(Effect::Internal),
        ChaosKind::RequestLost => Some(Effect::LostRequest),
        ChaosKind::AnswerLost => Some(Effect::LostAnswer),
        ChaosKind::NoCapacity => refusal(&|code| is_any_of(&CAPACITY, code), &[]),
        ChaosKind::QuotaExceeded => refusal(&|code| is_any_of(&QUOTA, code), &[]),
        ChaosKind::Misremembered => refusal(&|code| is_about_existence(code), &[]),
        ChaosKind::Refused => {
            let other = |code: &str| {
                !is_any_of(&CAPACITY, code) && !is_any_of(&QUOTA, code) && !is_about_existence(code)
            };
            refusal(&other, &COMMON)
        }
        ChaosKind::Stale if is_look => {
            Some(Effect::StaleSeconds(draws.size(STALE_SECONDS_MAX).max(1)))
        }
        ChaosKind::EndsBadly => ends_badly(action, parameters, draws),
        ChaosKind::ModifyFails => {
            matches!(action, "ModifyDBInstance" | "ModifyDBCluster").then_some(Effect::ModifyFails)
        }
        ChaosKind::Late if !is_look => Some(Effect::LateSeconds(draws.size(LATE_SECONDS_MAX))),
        ChaosKind::Stale | ChaosKind::Late => None,
    }
}

/// RDS has a status for every way in which making and changing fails, but none for a rename that does.
fn ends_badly(
    action: &str,
    parameters: &BTreeMap<String, String>,
    draws: &mut Draws,
) -> Option<Effect> {
    let is_rename = |name: &String| name.starts_with("NewDB");
    if parameters.keys().any(is_rename) {
        return None;
    }
    if action.starts_with("DeleteDB") {
        // What fails is the final snapshot.
        let is_kept = parameters.contains_key("FinalDBSnapshotIdentifier");
        return is_kept.then(|| Effect::EndsIn("failed".to_owned()));
    }
    let (_, ends) = BAD_ENDS.iter().find(|(one, _)| *one == action)?;
    draws.pick(ends).map(|end| Effect::EndsIn(end.to_owned()))
}

fn refused(code: &str) -> Option<Effect> {
    let code = code.to_owned();
    let status = MODEL.status(&code).unwrap_or(match code.as_str() {
        "AccessDenied" | "ExpiredToken" | "UnauthorizedOperation" => 403,
        _ => 400,
    });
    Some(Effect::Error { code, status })
}

fn is_look(action: &str) -> bool {
    action.starts_with("Describe") || action.starts_with("List")
}

/// Whether a code says of a database or a snapshot that it is, or isn't, there.
fn is_about_existence(code: &str) -> bool {
    let subject = ["DBInstance", "DBCluster", "DBSnapshot", "DBClusterSnapshot"];
    let said = [
        "NotFound",
        "NotFoundFault",
        "AlreadyExists",
        "AlreadyExistsFault",
    ];
    subject
        .iter()
        .filter_map(|subject| code.strip_prefix(subject))
        .any(|rest| said.contains(&rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(chaos: &mut Chaos, action: &str) -> Vec<(ChaosKind, Effect)> {
        let nothing = BTreeMap::new();
        let now = Timestamp::UNIX_EPOCH;
        (0..2000)
            .filter_map(|_| chaos.strike(action, &nothing, "", now))
            .collect()
    }

    #[test]
    fn a_seed_strikes_the_same_again_and_no_more_often_than_it_may() {
        let mut chaos = Chaos::of_every_kind(7, 30, 100);
        let mut again = chaos.clone();
        let struck = strikes(&mut chaos, "ModifyDBInstance");
        assert_eq!(struck, strikes(&mut again, "ModifyDBInstance"));
        assert_eq!(struck.len(), 100);
        assert_eq!(strikes(&mut chaos, "ModifyDBInstance"), []);
    }

    #[test]
    fn each_action_suffers_what_it_can() {
        for (action, impossible) in [
            (
                "DescribeDBInstances",
                &[
                    "EndsBadly",
                    "ModifyFails",
                    "Late",
                    "NoCapacity",
                    "QuotaExceeded",
                ][..],
            ),
            ("RestoreDBInstanceFromDBSnapshot", &["Stale", "ModifyFails"]),
            ("ModifyDBInstance", &["Stale"]),
            (
                "CreateDBClusterSnapshot",
                &["Stale", "ModifyFails", "NoCapacity"],
            ),
        ] {
            let mut chaos = Chaos::of_every_kind(1, 100, u64::MAX);
            let kinds: std::collections::BTreeSet<_> = strikes(&mut chaos, action)
                .into_iter()
                .map(|(kind, _)| kind)
                .collect();
            for kind in ChaosKind::ALL {
                let is_possible = !impossible.contains(&format!("{kind:?}").as_str());
                assert_eq!(kinds.contains(&kind), is_possible, "{action} {kind:?}");
            }
        }
    }

    #[test]
    fn every_listed_code_is_refused_with() {
        let mut chaos = Chaos::of_every_kind(3, 200, u64::MAX);
        let struck = strikes(&mut chaos, "RestoreDBClusterFromSnapshot");
        for code in MODEL.errors("RestoreDBClusterFromSnapshot") {
            let is_it = |(_, effect): &(ChaosKind, Effect)| matches!(effect, Effect::Error { code: other, .. } if other == code);
            assert!(struck.iter().any(is_it), "{code}");
        }
    }

    #[test]
    fn only_those_who_are_meant_suffer_and_only_in_time() {
        let mut chaos = Chaos::of_every_kind(1, 1000, u64::MAX);
        chaos.agent = Some("trapheus".to_owned());
        chaos.until = Some(Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(1));
        let mut strike = |agent, now| {
            chaos
                .strike("DescribeDBInstances", &BTreeMap::new(), agent, now)
                .is_some()
        };
        let begin = Timestamp::UNIX_EPOCH;
        assert!(strike("trapheus/1", begin));
        assert!(!strike("person", begin));
        assert!(!strike(
            "trapheus/1",
            begin + jiff::SignedDuration::from_secs(1)
        ));
    }
}
