//! A run with a picture of the world at every moment at which its process could die.
//!
//! A process that dies leaves nothing but the world and the journal. So of all moments between two
//! changes of these, one picture is taken: the others are the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use trapheus_asl::Event;
use trapheus_engine::{Ended, ExecutionId, TaskCall};

use crate::frozen::{Frozen, Lasting};
use crate::gate::is_look;
use crate::journal::{Appends, WatchedJournal};
use crate::simulation::{Run, Simulation};

/// What was about to happen, or had just happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum When {
    /// A call that changes something, before it is sent.
    BeforeChange,
    /// The same, carried out and not answered.
    AfterChange,
    /// A call that changes nothing, before it is sent.
    BeforeLook,
    /// The same, before its answer arrives.
    AfterLook,
    /// An event, before it is written.
    BeforeEvent,
    /// An event, when it has been written.
    AfterEvent,
}

/// The world at one moment of a run.
#[derive(Debug, Clone)]
pub struct Still {
    /// The first of the moments that it shows.
    pub when: When,
    /// The call's action, or the event's number.
    pub what: String,
    /// The state that was worked for last.
    pub state: String,
    /// How many events the journal has.
    pub events: u32,
    /// How many calls that change something were sent since the last event.
    pub changes: u32,
    /// How many polls in a row, the last of them the last event, have seen nothing new.
    pub waits: u32,
    /// The world.
    pub world: Frozen,
}

impl Still {
    /// Where that is, for messages.
    pub fn at(&self) -> String {
        let Self {
            when, what, events, ..
        } = self;
        format!("{when:?} {what}, with {events} events written")
    }
}

/// A task that succeeded.
#[derive(Debug, Clone)]
pub struct Success {
    /// The state that it was run for.
    pub state: String,
    /// The task, as the definition names it.
    pub resource: String,
    /// What it was given.
    pub input: Value,
    /// What it returned.
    pub output: Value,
    /// The world, before anybody wrote that it had succeeded.
    pub world: Frozen,
}

/// What was recorded.
#[derive(Debug, Default)]
pub struct Recording {
    /// The world at every moment at which it, or the journal, was another than before.
    pub stills: Vec<Still>,
    /// All moments that are shown.
    pub moments: BTreeMap<When, u32>,
    /// The tasks that succeeded, in order.
    pub successes: Vec<Success>,
    state: String,
    events: u32,
    changes: u32,
    waits: u32,
    /// The transactions of RDS when a poll answered last.
    waiting_since: u64,
    /// The transactions of RDS and the events at the last picture.
    shown: Option<(u64, u32)>,
}

/// Records while it is asked to. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Option<(Lasting, Recording)>>>);

impl Recorder {
    pub(crate) fn begin(&self, lasting: &Lasting) {
        let recording = Recording {
            // An execution begins with its first.
            events: 1,
            ..Recording::default()
        };
        *self.state() = Some((lasting.clone(), recording));
    }

    /// What was recorded since it began.
    pub(crate) fn end(&self) -> Recording {
        let recorded = self.state().take();
        recorded.map_or(Recording::default(), |(_, recording)| recording)
    }

    pub(crate) fn task_begins(&self, state: &str) {
        self.note(|_, recording| state.clone_into(&mut recording.state));
    }

    pub(crate) fn calls(&self, action: &str) {
        self.note(|lasting, recording| {
            if is_look(action) {
                recording.note(lasting, When::BeforeLook, action);
            } else {
                recording.note(lasting, When::BeforeChange, action);
                recording.changes += 1;
            }
        });
    }

    pub(crate) fn is_answered(&self, action: &str) {
        let when = match is_look(action) {
            true => When::AfterLook,
            false => When::AfterChange,
        };
        self.note(|lasting, recording| recording.note(lasting, when, action));
    }

    /// A database server holds other rows than before, which RDS knows nothing of.
    pub(crate) fn sql_committed(&self) {
        self.note(|lasting, recording| {
            recording.shown = None;
            recording.note(lasting, When::AfterChange, "SQL");
        });
    }

    pub(crate) fn task_succeeded(&self, call: &TaskCall, output: &Value) {
        self.note(|lasting, recording| {
            recording.successes.push(Success {
                state: call.state.clone(),
                resource: call.resource.clone(),
                input: call.input.clone(),
                output: output.clone(),
                world: lasting.freeze(),
            });
        });
    }

    fn note(&self, note: impl FnOnce(&Lasting, &mut Recording)) {
        if let Some((lasting, recording)) = &mut *self.state() {
            note(lasting, recording);
        }
    }

    fn state(&self) -> MutexGuard<'_, Option<(Lasting, Recording)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulation {
    /// Runs an input document to its end, and takes a picture at every moment.
    pub async fn record(&self, input: Value) -> (Run, Recording) {
        self.recorder.begin(&self.lasting);
        let engine = self.engine(Arc::new(WatchedJournal {
            journal: self.lasting.journal.clone(),
            watcher: self.recorder.clone(),
        }));
        let handle = self.start(&engine, input);
        let run = self.finish(&engine, &handle).await;
        (run, self.recorder.end())
    }
}

impl Recording {
    fn note(&mut self, lasting: &Lasting, when: When, what: &str) {
        *self.moments.entry(when).or_default() += 1;
        let shown = Some((lasting.control_plane.transactions(), self.events));
        if self.shown == shown {
            return;
        }
        self.shown = shown;
        self.stills.push(Still {
            when,
            what: what.to_owned(),
            state: self.state.clone(),
            events: self.events,
            changes: self.changes,
            waits: self.waits,
            world: lasting.freeze(),
        });
    }
}

impl Appends for Recorder {
    fn before(&self, sequence: u32, event: &Event) {
        self.note(|lasting, recording| {
            recording.events = sequence;
            let transactions = lasting.control_plane.transactions();
            match event {
                Event::TaskFailed { error, .. } if error == "Trapheus.InProgress" => {
                    let is_still = transactions == recording.waiting_since;
                    recording.waits = if is_still { recording.waits + 1 } else { 0 };
                    recording.waiting_since = transactions;
                }
                Event::TimerFired { .. } => {}
                _news => recording.waits = 0,
            }
            recording.note(lasting, When::BeforeEvent, &sequence.to_string());
        });
    }

    fn after(&self, _: &ExecutionId, sequence: u32, _: &Event, _: Option<&Ended>) {
        self.note(|lasting, recording| {
            recording.events = sequence + 1;
            recording.changes = 0;
            recording.note(lasting, When::AfterEvent, &sequence.to_string());
        });
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Recorder")
    }
}
