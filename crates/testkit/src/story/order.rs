//! What somebody asks of the product in a story, and what he does with the execution then.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::When;
use super::random::Random;
use super::setting::{Setting, TARGET};

/// An execution that somebody wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// When, from the beginning of the story.
    pub after: Duration,
    /// The task, in the input's words.
    pub task: &'static str,
    /// The strategy, in the input's words.
    pub strategy: &'static str,
    /// How long the original is kept; zero for not at all.
    pub keep_original: Duration,
    /// Which data.
    pub data: Data,
    /// What becomes of an original that an earlier execution keeps.
    pub kept_original: Option<&'static str>,
    /// Whether a last snapshot is made of the original.
    pub final_snapshot: bool,
    /// Whether it has a process of its own.
    pub is_alone: bool,
    /// `executions stop`, and what follows.
    pub stop: Option<Stop>,
    /// `rollback` so long after it was over.
    pub roll_back_after: Option<Duration>,
}

/// Which data is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// What the product chooses.
    Default,
    /// The newest snapshot of any kind.
    Latest,
    /// The snapshot that was there from the beginning.
    Named,
    /// The latest moment.
    LatestMoment,
    /// A moment so long ago.
    Moment(Duration),
}

/// `executions stop`, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// When; a time counts from the start of the execution.
    pub when: When,
    /// What is done with it then.
    pub then: Then,
}

/// What is done with a stopped execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// It is resumed.
    Resume,
    /// It is resumed by two processes at once.
    ResumeTwice,
    /// It is rolled back.
    RollBack,
}

impl Order {
    /// An order for what there is, somewhere within a time.
    pub(super) fn random(random: &mut Random, setting: &Setting, within: Duration) -> Self {
        let task = match random.below(10) {
            0 => "create_snapshot_only",
            1..4 => "create_snapshot",
            _ => "db_restore",
        };
        let task = if setting.is_gone { "db_restore" } else { task };
        Self {
            after: random.within(within),
            task,
            strategy: random.pick(&["swap", "in_place"]),
            keep_original: match random.chance(40) {
                true => Duration::from_secs(1 + random.size(2 * 3600)),
                false => Duration::ZERO,
            },
            data: match task {
                "db_restore" if !setting.is_gone => Data::random(random, within),
                _ => Data::Default,
            },
            kept_original: random.pick(&[None, Some("delete"), Some("release")]),
            final_snapshot: random.chance(20),
            is_alone: random.chance(50),
            stop: random.chance(30).then(|| Stop {
                when: When::random(random, within),
                then: random.pick(&[Then::Resume, Then::ResumeTwice, Then::RollBack]),
            }),
            roll_back_after: random.chance(15).then(|| random.within(within)),
        }
    }

    /// The input document, as it is written at a time.
    pub(super) fn input(&self, setting: &Setting, now: Timestamp) -> Value {
        let mut input = json!({"identifier": TARGET, "task": self.task});
        if self.task == "create_snapshot_only" {
            return input;
        }
        input["strategy"] = json!(self.strategy);
        if setting.has_source {
            input["sourceIdentifier"] = json!(setting.source());
        }
        if setting.is_gone {
            input["createIfMissing"] = json!(true);
        }
        if !self.keep_original.is_zero() {
            input["keepOriginal"] = json!(format!("{}s", self.keep_original.as_secs()));
        }
        if let Some(kept_original) = self.kept_original {
            input["keptOriginal"] = json!(kept_original);
        }
        if self.final_snapshot {
            input["finalSnapshot"] = json!(true);
        }
        match self.data {
            Data::Default => {}
            Data::Latest => input["snapshotIdentifier"] = json!("latest"),
            Data::Named => input["snapshotIdentifier"] = json!(setting.snapshot()),
            Data::LatestMoment => input["restoreTime"] = json!("latest"),
            Data::Moment(ago) => {
                let ago = SignedDuration::try_from(ago).unwrap_or(SignedDuration::MAX);
                let moment = now.checked_sub(ago).unwrap_or(now);
                input["restoreTime"] = json!(moment.to_string());
            }
        }
        input
    }
}

impl Data {
    fn random(random: &mut Random, within: Duration) -> Self {
        match random.below(10) {
            0 => Self::Latest,
            1 | 2 => Self::Named,
            3 => Self::LatestMoment,
            4 => Self::Moment(random.within(within)),
            _ => Self::Default,
        }
    }
}
