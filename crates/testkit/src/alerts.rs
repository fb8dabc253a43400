//! Who is told in a simulation: a recorder, and the check that people hear of every outcome what
//! it is and never of another one.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use trapheus_asl::HistoryKind;
use trapheus_restore::{Alert, AlertKind, Delivery, Notifier, Notify, Recipient, SummaryStatus};

use crate::simulation::Run;

/// The channel of simulations.
const RECORDER: &str = "recorder";

/// Remembers every alert.
#[derive(Debug, Default)]
pub(crate) struct SimulatedNotifier {
    told: Mutex<Vec<Alert>>,
    trouble: Mutex<Trouble>,
}

/// What is wrong with the channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// It refuses every alert.
    Refuses,
    /// It never answers.
    Hangs,
}

impl SimulatedNotifier {
    /// A copy that shares nothing.
    pub(crate) fn fork(&self) -> Self {
        Self {
            told: Mutex::new(self.told()),
            trouble: Mutex::new(*lock(&self.trouble)),
        }
    }

    /// Every alert so far, oldest first.
    pub(crate) fn told(&self) -> Vec<Alert> {
        lock(&self.told).clone()
    }

    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        *lock(&self.trouble) = trouble;
    }

    /// What is wrong with what people were told of an execution that has ended: its outcome, as soon
    /// as its report could be made, and nothing else.
    pub(crate) fn judge(&self, run: &Run) -> Result<(), String> {
        let Some((outcome, others)) = outcome(run) else {
            return Ok(());
        };
        let told = self.told();
        let of_this = told
            .iter()
            .filter(|alert| alert.execution_id == run.id.as_str());
        let kinds: BTreeSet<AlertKind> = of_this.map(|alert| alert.kind).collect();
        let may_be = |kind: &AlertKind| *kind == outcome || others.contains(kind);
        let is_told = kinds.contains(&outcome) || !was_reported(run);
        if is_told && kinds.iter().all(may_be) {
            return Ok(());
        }
        let id = &run.id;
        Err(format!(
            "{id} ended as {outcome}, and people were told of {kinds:?}"
        ))
    }
}

/// How an execution has ended, and what may have been told on its way. Who ends one from outside
/// to undo it is told by the one that does so.
fn outcome(run: &Run) -> Option<(AlertKind, &'static [AlertKind])> {
    let summary = &run.summary;
    summary.finished_at?;
    if run.history.last()?.kind == HistoryKind::ExecutionAborted {
        return None;
    }
    let on_the_way: &[AlertKind] = &[AlertKind::LongRunning];
    Some(match summary.status {
        SummaryStatus::Succeeded if summary.left_over.is_empty() => {
            (AlertKind::Succeeded, on_the_way)
        }
        // The restored database serves before its original turns out to stay.
        SummaryStatus::Succeeded => (
            AlertKind::LeftOver,
            &[AlertKind::Succeeded, AlertKind::LongRunning],
        ),
        SummaryStatus::Failed if summary.exit_code() == 2 => (AlertKind::Refused, on_the_way),
        SummaryStatus::Failed => (AlertKind::Failed, on_the_way),
        SummaryStatus::RollbackFailed => (AlertKind::RollbackFailed, on_the_way),
        SummaryStatus::Stopped | SummaryStatus::Running | SummaryStatus::KeepingOriginal => {
            return None;
        }
    })
}

/// Whether the state that tells of the end has done so.
fn was_reported(run: &Run) -> bool {
    let mut reports = run.history.iter().filter(|event| {
        let state = event.state.as_deref().unwrap_or_default();
        state.starts_with("Report") && event.kind.is_state_entered()
    });
    let Some(last) = reports.next_back() else {
        return false;
    };
    run.history.iter().any(|event| {
        event.id > last.id && event.state == last.state && event.kind == HistoryKind::TaskSucceeded
    })
}

#[async_trait]
impl Notifier for SimulatedNotifier {
    fn audience(&self, _: AlertKind, asked: &Notify) -> Result<Vec<String>, Recipient> {
        match asked.to.iter().find(|to| to.to_string() != RECORDER) {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(vec![RECORDER.to_owned()]),
        }
    }

    fn patience_seconds(&self) -> Option<u64> {
        None
    }

    async fn tell(&self, alert: &Alert, _: &Notify) -> Vec<Delivery> {
        lock(&self.told).push(alert.clone());
        let trouble = *lock(&self.trouble);
        if trouble == Trouble::Hangs {
            tokio::time::sleep(Duration::MAX).await;
        }
        vec![Delivery {
            channel: RECORDER.to_owned(),
            error: (trouble == Trouble::Refuses).then(|| "it refuses".to_owned()),
        }]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
