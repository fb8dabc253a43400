//! What a history tells a person: the steps, how long each took, what it waits for, how it ended.
//!
//! A fold over history events without any I/O; the live view, the plain lines and
//! `executions show` are readers of it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use trapheus_asl::{HistoryEvent, HistoryKind};
use trapheus_restore::{Cause, ErrorName};

/// The steps of an execution so far.
#[derive(Debug, Default)]
pub(crate) struct Story {
    /// In the order in which they began.
    pub steps: Vec<Step>,
    /// When the history began; none before the first event.
    pub started: Option<Timestamp>,
}

/// One visit of a task or of a wait.
#[derive(Debug)]
pub(crate) struct Step {
    /// The state's name.
    pub state: String,
    /// When it began.
    pub entered: Timestamp,
    /// When it ended; none while it goes on.
    pub left: Option<Timestamp>,
    /// What it says of itself: what it waits for, or in the end what it made so.
    pub says: Option<String>,
    /// How far it is, where RDS says so.
    pub percent: Option<u8>,
    /// The error that it ended with, or that it is retrying after.
    pub error: Option<String>,
    /// How often its task was called.
    pub calls: u32,
}

/// What an event changed in the story, for those who draw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// Step number so began.
    Began(usize),
    /// Step number so went on.
    Went(usize),
    /// Step number so waits for something else than before.
    Waits(usize),
    /// Step number so ended.
    Ended(usize),
    /// The execution ended.
    Over,
}

impl Story {
    /// The story of a whole history.
    pub(crate) fn of(history: &[HistoryEvent]) -> Self {
        let mut story = Self::default();
        for event in history {
            story.tell(event);
        }
        story
    }

    /// Takes in one event.
    pub(crate) fn tell(&mut self, event: &HistoryEvent) -> Option<Change> {
        self.started.get_or_insert(event.at);
        match event.kind {
            HistoryKind::TaskStateEntered | HistoryKind::WaitStateEntered => {
                Some(self.begin(event.state.as_deref()?, event.at))
            }
            HistoryKind::TaskStateExited | HistoryKind::WaitStateExited => self
                .change(event, |step| step.left = Some(event.at))
                .map(Change::Ended),
            HistoryKind::TaskScheduled => {
                self.change(event, |step| step.calls += 1).map(Change::Went)
            }
            HistoryKind::TaskSucceeded => self
                .change(event, |step| step.succeed(event.output.as_ref()))
                .map(Change::Went),
            HistoryKind::TaskFailed | HistoryKind::TaskTimedOut => {
                let mut waits_anew = false;
                let number = self.change(event, |step| waits_anew = step.fail(event))?;
                Some(if waits_anew {
                    Change::Waits(number)
                } else {
                    Change::Went(number)
                })
            }
            HistoryKind::ExecutionSucceeded
            | HistoryKind::ExecutionFailed
            | HistoryKind::ExecutionTimedOut
            | HistoryKind::ExecutionAborted => Some(Change::Over),
            _not_part_of_the_story => None,
        }
    }

    fn begin(&mut self, state: &str, at: Timestamp) -> Change {
        self.steps.push(Step {
            state: state.to_owned(),
            entered: at,
            left: None,
            says: None,
            percent: None,
            error: None,
            calls: 0,
        });
        Change::Began(self.steps.len() - 1)
    }

    /// Changes the open step of the event's state; returns its number.
    fn change(&mut self, event: &HistoryEvent, change: impl FnOnce(&mut Step)) -> Option<usize> {
        let state = event.state.as_deref()?;
        let number = self
            .steps
            .iter()
            .rposition(|step| step.state == state && step.left.is_none())?;
        change(&mut self.steps[number]);
        Some(number)
    }
}

impl Step {
    /// How long it took, or has taken so far.
    pub(crate) fn elapsed(&self, now: Timestamp) -> SignedDuration {
        self.left
            .unwrap_or(now)
            .duration_since(self.entered)
            .max(SignedDuration::ZERO)
    }

    fn succeed(&mut self, output: Option<&Value>) {
        self.error = None;
        self.percent = None;
        self.says = output.and_then(|output| sentence(&self.state, output));
    }

    /// `Trapheus.InProgress` is not a failure: it says what is being waited for. Returns whether
    /// that is something new.
    fn fail(&mut self, event: &HistoryEvent) -> bool {
        let error = event.error.as_deref().unwrap_or("States.Timeout");
        let cause = Cause::parse(event.cause.as_deref().unwrap_or_default());
        let before = self.says.replace(cause.text().to_owned());
        self.percent = cause.percent;
        self.error = (error != ErrorName::InProgress.as_str()).then(|| error.to_owned());
        self.says != before
    }
}

/// What the task of a state made so, from what it returned.
fn sentence(state: &str, output: &Value) -> Option<String> {
    let word = |key: &str| output[key].as_str();
    let endpoint = || {
        let endpoint = &output["endpoint"];
        Some(format!(
            "{}:{}",
            endpoint["address"].as_str()?,
            endpoint["port"].as_u64()?
        ))
    };
    match state {
        "Plan" => {
            if let Some(at) = output["pointInTime"].as_object() {
                let moment = at
                    .get("at")
                    .and_then(Value::as_str)
                    .unwrap_or("the latest moment");
                return Some(format!("from the backups, to {moment}"));
            }
            let snapshot = &output["snapshot"];
            let does = if snapshot["create"] == true {
                "makes"
            } else {
                "from"
            };
            Some(format!("{does} {}", snapshot["id"].as_str()?))
        }
        "Snapshot" => Some(format!("{} is available", word("id")?)),
        "Restore" => Some(format!(
            "{} is {}",
            word("identifier")?,
            word("resourceId")?
        )),
        "Configure" => {
            let fidelity = &output["fidelity"];
            Some(format!(
                "{} of {} attributes kept",
                fidelity["kept"], fidelity["compared"]
            ))
        }
        "Prepare" => {
            let off = output["quarantined"].as_array().map_or(0, Vec::len);
            match (output["statements"].as_u64()?, off) {
                (0, 0) => None,
                (count, 0) => Some(format!("{count} statements run")),
                (count, off) => Some(format!("{count} statements run, {off} things switched off")),
            }
        }
        "Verify" => {
            let answers = format!("{} answers at {}", word("identifier")?, endpoint()?);
            match output["answers"].as_array().map_or(0, Vec::len) {
                0 => Some(answers),
                count => Some(format!("{answers}, and {count} statements hold")),
            }
        }
        "MoveAside" | "MoveAsideFirst" => Some(format!("the original is {}", word("identifier")?)),
        "Promote" => Some(format!(
            "{} answers at {}",
            word("identifier")?,
            endpoint()?
        )),
        "Retire" => Some(format!("{} is gone", word("resourceId")?)),
        "RollBack" | "SwapBack" => Some("the original answers at its name".to_owned()),
        "Report" | "ReportFailure" | "ReportLeftOver" | "ReportRollBackFailed" => {
            let deliveries = output["deliveries"].as_array()?.iter();
            let told = deliveries.filter(|delivery| delivery["error"].is_null());
            let told: Vec<&str> = told
                .filter_map(|delivery| delivery["channel"].as_str())
                .collect();
            (!told.is_empty()).then(|| format!("told {}", told.join(", ")))
        }
        _has_nothing_to_say => None,
    }
}

/// Seconds with the digits that matter: 0.31 s, 12.3 s, 4 min 05 s, 1 h 02 min.
pub(crate) fn shown(duration: SignedDuration) -> String {
    let seconds = duration.as_secs_f64();
    let whole = duration.as_secs();
    match whole {
        ..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        3600.. => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_to_read() {
        let of = |milliseconds| shown(SignedDuration::from_millis(milliseconds));
        assert_eq!(of(314), "0.31 s");
        assert_eq!(of(12_345), "12.3 s");
        assert_eq!(of(245_000), "4 min 05 s");
        assert_eq!(of(3_725_000), "1 h 02 min");
    }
}
