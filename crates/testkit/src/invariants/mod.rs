//! The promises of a restore as checkers, which look after every simulated event: every change of
//! RDS's state, every request that was answered, every event that was written to the journal, and
//! every write that a client was promised.
//!
//! Each checker is a file, and each is a pure function of what happened and of what the
//! `memory` holds. They judge by what there really is and who really made it, never by names or
//! tags. What a person does is nobody's fault: a product is only blamed for what it did although
//! its own last look at RDS told it better.

mod by_identity;
mod caller;
mod journal;
mod least_privilege;
mod memory;
mod never_without;
mod one_at_a_time;
mod snapshots;
#[cfg(test)]
mod tests;
mod the_name;
mod time;
mod truth;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use trapheus_asl::{Event, Status};
use trapheus_engine::{Ended, ExecutionId};
use trapheus_local::observe::{Answer, Asked, Change, Observer, View};
use trapheus_restore::Summary;

pub(crate) use caller::{Introduced, on_behalf_of};
pub(crate) use journal::LedgerJournal;
use memory::{Execution, Memory};

/// So many events are told with a violation.
const EVENTS_TOLD: usize = 40;

const NEVER_WITHOUT: &str = "never without a database";
const BY_IDENTITY: &str = "by identity, not by name";
const THE_NAME: &str = "the name always comes back";
const TIME: &str = "every execution ends in time";
const TRUTH: &str = "truth, and no litter";
const ONE_AT_A_TIME: &str = "one at a time";
const LEAST_PRIVILEGE: &str = "least privilege";
const SNAPSHOTS: &str = "snapshots are replaced, never removed first";

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub invariant: &'static str,
    /// How.
    pub what: String,
    /// What happened before, oldest first.
    pub story: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}: {}", self.invariant, self.what)?;
        self.story
            .iter()
            .try_for_each(|line| writeln!(formatter, "    {line}"))
    }
}

/// Watches one world from its beginning. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Clone, Default)]
struct Book {
    memory: Memory,
    violations: Vec<Violation>,
    story: VecDeque<String>,
}

impl Ledger {
    /// Another ledger that begins with what this one knows, and blames nobody yet.
    pub(crate) fn fork(&self) -> Self {
        let mut book = self.book().clone();
        book.violations.clear();
        Self(Arc::new(Mutex::new(book)))
    }

    /// The promises that were broken since this was last asked.
    pub(crate) fn take_violations(&self) -> Vec<Violation> {
        std::mem::take(&mut self.book().violations)
    }

    /// Which task has asked for which action.
    pub(crate) fn asked(&self) -> BTreeSet<(String, String)> {
        self.book().memory.asked.clone()
    }

    /// Notes that a task begins.
    pub(crate) fn task_begins(&self, execution: &ExecutionId, state: &str, task: &str) {
        let mut book = self.book();
        let now = book.memory.now;
        if let Some(execution) = book.memory.executions.get_mut(execution.as_str()) {
            execution.is_seen();
            state.clone_into(&mut execution.state);
            bare(task).clone_into(&mut execution.task);
            execution.running.push(execution.task.clone());
            execution.task_began = now;
            // Where a journal has lost the end, there will be another one.
            execution.ended = None;
        }
    }

    /// Notes that a task has ended, well or not.
    pub(crate) fn task_ends(&self, execution: &ExecutionId, task: &str) {
        let mut book = self.book();
        if let Some(execution) = book.memory.executions.get_mut(execution.as_str()) {
            let running = &mut execution.running;
            if let Some(ended) = running.iter().rposition(|running| running == bare(task)) {
                running.swap_remove(ended);
            }
        }
    }

    /// Notes that a task has succeeded.
    pub(crate) fn task_succeeded(&self, execution: &ExecutionId, state: &str) {
        let mut book = self.book();
        if let Some(execution) = book.memory.executions.get_mut(execution.as_str()) {
            execution.is_verified |= state == "Verify";
        }
    }

    /// Notes what was written to the journal.
    fn written(&self, id: &ExecutionId, event: &Event) {
        let mut book = self.book();
        let memory = &mut book.memory;
        match event {
            Event::ExecutionStarted { input, .. } => {
                let execution = Execution::new(id.as_str(), input.clone(), memory.now);
                memory.executions.insert(id.to_string(), execution);
            }
            Event::TaskSucceeded { output, .. } => {
                let execution = memory.executions.get_mut(id.as_str());
                // No other task returns one; it returns another where a journal lost the first.
                let is_plan = output.get("blueprint").is_some();
                if let (Some(execution), true) = (execution, is_plan) {
                    execution.plan = serde_json::from_value(output.clone()).ok();
                }
            }
            Event::TaskFailed { .. }
            | Event::TimerFired { .. }
            | Event::ExecutionAborted { .. } => {}
        }
    }

    /// Notes that an execution has ended.
    fn ended(&self, id: &ExecutionId, ended: &Ended, summary: Option<Summary>) {
        let mut book = self.book();
        book.tell(ended.at, || match &ended.status {
            Status::Succeeded { .. } => format!("{id} succeeds"),
            status => format!("{id} ends: {status:?}"),
        });
        if let Some(execution) = book.memory.executions.get_mut(id.as_str()) {
            execution.is_seen();
            execution.ended = Some(ended.status.clone());
        }
        book.judge_end(id, summary.as_ref());
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    fn tell(&mut self, at: Timestamp, what: impl FnOnce() -> String) {
        if self.story.len() == EVENTS_TOLD {
            self.story.pop_front();
        }
        let what = what();
        self.story.push_back(format!("{at:.3} {what}"));
    }

    fn judge(&mut self, invariant: &'static str, found: Option<String>) {
        if let Some(what) = found {
            self.violations.push(Violation {
                invariant,
                what,
                story: self.story.iter().cloned().collect(),
            });
        }
    }

    fn judge_request(&mut self, request: &Asked<'_>, answer: Answer<'_>) {
        let by = caller::execution_of(request.by).and_then(|id| self.memory.executions.get(id));
        let Some(execution) = by else { return };
        let memory = &self.memory;
        let touched = by_identity::check(memory, execution, request, answer);
        if answer != Answer::Carried {
            return self.judge(BY_IDENTITY, touched);
        }
        let lost = never_without::check_request(memory, execution, request);
        let between = one_at_a_time::check_request(memory, execution, request);
        let wrong = truth::check_request(memory, execution, request);
        let bare = snapshots::check_request(memory, execution, request);
        self.judge(BY_IDENTITY, touched);
        self.judge(NEVER_WITHOUT, lost);
        self.judge(ONE_AT_A_TIME, between);
        self.judge(SNAPSHOTS, bare);
        self.judge(TRUTH, wrong);
    }

    /// Notes what a task asked, and whether its role on AWS would have let it.
    fn judge_privilege(&mut self, request: &Asked<'_>, view: &View<'_>) {
        let by = caller::execution_of(request.by).and_then(|id| self.memory.executions.get(id));
        let Some(execution) = by else { return };
        let asked = (execution.task.clone(), request.action.to_owned());
        // Looks are all alike, and many.
        if request.is_look() && self.memory.asked.contains(&asked) {
            return;
        }
        let denied = least_privilege::check(&self.memory, execution, request, view);
        self.memory.asked.insert(asked);
        self.judge(LEAST_PRIVILEGE, denied);
    }

    fn judge_end(&mut self, id: &ExecutionId, summary: Option<&Summary>) {
        let memory = &self.memory;
        let Some(execution) = memory.executions.get(id.as_str()) else {
            return;
        };
        let nameless = the_name::check_end(memory, execution);
        let late = time::check_end(execution);
        let lie = summary.and_then(|summary| truth::check_end(memory, execution, summary));
        self.judge(THE_NAME, nameless);
        self.judge(TIME, late);
        self.judge(TRUTH, lie);
    }
}

impl Observer for Ledger {
    fn changed(&self, change: &Change<'_>) {
        let mut book = self.book();
        book.memory.learn(change);
        if change.by.is_some() {
            let before = change.databases().filter_map(|touched| touched.before);
            book.memory.before = before
                .map(|database| {
                    let marks = least_privilege::marks(&database);
                    (
                        database.resource_id().to_owned(),
                        (database.is_cluster(), marks),
                    )
                })
                .collect();
        }
        let lost = never_without::check_promises(&book.memory, change);
        book.judge(NEVER_WITHOUT, lost);
        for touched in change.databases() {
            let words = |database: trapheus_local::observe::Database<'_>| {
                format!("{} ({})", database.identifier(), database.status())
            };
            let (before, now) = (touched.before.map(words), touched.now.map(words));
            if before != now {
                let told = [before, now].map(|one| one.unwrap_or_else(|| "nothing".to_owned()));
                book.tell(change.view.at, || format!("    {}", told.join(" → ")));
            }
        }
    }

    fn answered(&self, request: &Asked<'_>, answer: Answer<'_>, view: &View<'_>) {
        let mut book = self.book();
        if answer == Answer::Carried {
            book.judge_privilege(request, view);
        }
        book.memory.before.clear();
        if answer == Answer::Carried {
            book.memory.learn_of_replacement(request);
        }
        if !request.is_look() {
            book.tell(request.at, || words(request, answer));
            book.judge_request(request, answer);
            if answer == Answer::Carried && one_at_a_time::is_a_change(request) {
                book.memory.learn_of_work(request);
            }
        }
        book.memory.learn_of_request(request, answer);
    }

    fn wrote(&self, _: Timestamp, resource_id: &str, writes: u64) {
        self.book().memory.learn_of_write(resource_id, writes);
    }
}

fn words(request: &Asked<'_>, answer: Answer<'_>) -> String {
    let who = caller::execution_of(request.by).unwrap_or("person");
    let parameters = request.parameters.iter();
    let whom: Vec<&str> = parameters
        .filter(|(name, _)| name.ends_with("Identifier") || *name == "ResourceName")
        .map(|(_, value)| value.as_str())
        .collect();
    let refused = match answer {
        Answer::Carried => String::new(),
        Answer::Refused(code) => format!(": {code}"),
        Answer::Stale(at) => format!(" (as of {at:.3})"),
    };
    format!("{who}: {} {}{refused}", request.action, whom.join(" "))
}

/// A task's name without what the definition writes around it.
fn bare(task: &str) -> &str {
    task.trim_matches(['$', '{', '}'])
}
