//! What an execution would be to AWS Step Functions: what is billed, and what its history counts.

use trapheus_asl::HistoryKind;

use crate::simulation::Run;

impl Run {
    /// State transitions, as they are billed: each state that was entered, and each further run of
    /// its task.
    pub fn state_transitions(&self) -> usize {
        let scheduled = self.count(HistoryKind::TaskScheduled);
        let entered = self.count(HistoryKind::TaskStateEntered);
        self.states().len() + scheduled.saturating_sub(entered)
    }

    /// The events of Step Functions' history. It tells twice that a function is called: that it was
    /// asked for, and that it began.
    pub fn events_in_step_functions(&self) -> usize {
        self.history.len() + self.count(HistoryKind::TaskScheduled)
    }

    fn count(&self, kind: HistoryKind) -> usize {
        let events = self.history.iter();
        events.filter(|event| event.kind == kind).count()
    }
}
