//! From stored events back to an execution and its history, through the same function that ran it.

use std::sync::Arc;

use trapheus_asl::{Action, Event, Execution, HistoryEvent, HistoryKind, Identity, StateMachine};

use crate::journal::StoredExecution;
use crate::{Error, ExecutionId};

/// An interpreter that takes stored events in.
pub(crate) struct Replay {
    id: ExecutionId,
    execution: Execution,
    sequence: u32,
}

impl Replay {
    /// A replay that has taken in nothing yet.
    pub(crate) fn new(stored: &StoredExecution) -> Result<Replay, Error> {
        let execution = interpreter(&stored.id, &stored.machine_name, &stored.definition)?;
        Ok(Replay {
            id: stored.id.clone(),
            execution,
            sequence: 0,
        })
    }

    /// Takes in the next event and returns what it adds to the history.
    pub(crate) fn take(&mut self, event: &Event) -> Result<Vec<HistoryEvent>, Error> {
        let actions = self
            .execution
            .apply(event)
            .map_err(|source| Error::Replay {
                id: self.id.clone(),
                sequence: self.sequence,
                source,
            })?;
        self.sequence += 1;
        Ok(actions
            .into_iter()
            .filter_map(|action| match action {
                Action::Record(event) => Some(event),
                Action::StartTask { .. }
                | Action::CancelTask { .. }
                | Action::StartTimer { .. }
                | Action::CancelTimer { .. }
                | Action::End(_) => None,
            })
            .collect())
    }

    /// Takes in several events.
    pub(crate) fn take_all(&mut self, events: &[Event]) -> Result<Vec<HistoryEvent>, Error> {
        let mut history = Vec::new();
        for event in events {
            history.extend(self.take(event)?);
        }
        Ok(history)
    }

    /// The place of the next event.
    pub(crate) fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The execution as the events left it.
    pub(crate) fn into_execution(self) -> Execution {
        self.execution
    }
}

/// An interpreter before its first event.
pub(crate) fn interpreter(
    id: &ExecutionId,
    machine_name: &str,
    definition: &str,
) -> Result<Execution, Error> {
    let machine = Arc::new(StateMachine::parse(definition)?);
    let identity = Identity {
        execution_name: id.to_string(),
        state_machine_name: machine_name.to_owned(),
    };
    Ok(Execution::new(machine, identity))
}

/// The states that were entered and not left and that take time, in the order of their entering.
pub(crate) fn current_states(history: &[HistoryEvent]) -> Vec<String> {
    let mut current: Vec<(&str, Option<usize>)> = Vec::new();
    for event in history {
        let Some(state) = event.state.as_deref() else {
            continue;
        };
        if is_entered(event.kind) {
            current.push((state, event.index));
        } else if is_left(event.kind) {
            let entered = current
                .iter()
                .position(|entered| *entered == (state, event.index));
            entered.map(|position| current.remove(position));
        }
    }
    current
        .into_iter()
        .map(|(state, _)| state.to_owned())
        .collect()
}

fn is_entered(kind: HistoryKind) -> bool {
    matches!(
        kind,
        HistoryKind::TaskStateEntered
            | HistoryKind::WaitStateEntered
            | HistoryKind::ParallelStateEntered
            | HistoryKind::MapStateEntered
    )
}

fn is_left(kind: HistoryKind) -> bool {
    matches!(
        kind,
        HistoryKind::TaskStateExited
            | HistoryKind::TaskStateAborted
            | HistoryKind::WaitStateExited
            | HistoryKind::WaitStateAborted
            | HistoryKind::ParallelStateExited
            | HistoryKind::ParallelStateAborted
            | HistoryKind::MapStateExited
            | HistoryKind::MapStateAborted
    )
}
