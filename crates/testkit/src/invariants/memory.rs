//! What the checkers remember: everything that ever was, who made it, and what clients were
//! promised. It is updated by what changes, never by looking through everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use trapheus_asl::Status;
use trapheus_local::observe::{
    Answer, Asked, Change, Database, SnapshotView, Subject, Touched, View,
};
use trapheus_restore::{Plan, Task};

use super::caller::execution_of;
use super::least_privilege::Marks;

/// Counts what happens: an instant, finer than any clock.
pub(super) type Moment = u64;

/// An execution makes no longer pauses by itself, but for keeping its original.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Who made something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Maker {
    /// Anybody but an execution.
    Person,
    /// This execution.
    Execution(String),
    /// Nobody asked for it by itself: a cluster makes its members, for instance.
    Rds,
}

/// A database, also one that is gone.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) maker: Maker,
    pub(super) cluster: Option<String>,
    pub(super) source: Option<String>,
    pub(super) is_deleting: bool,
    pub(super) is_gone: bool,
    /// How many writes its data must have at least: those that clients were promised.
    pub(super) promised: u64,
    /// How many of them came through its own endpoints.
    pub(super) writes: u64,
}

/// A snapshot, also one that is gone.
#[derive(Debug, Clone)]
pub(super) struct KnownSnapshot {
    pub(super) name: String,
    pub(super) maker: Maker,
    pub(super) is_ours: bool,
    pub(super) source_name: String,
    pub(super) source: String,
    pub(super) begun_at: Timestamp,
    pub(super) is_available: bool,
    pub(super) gone: Option<Moment>,
}

/// Who had a name from a moment on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    since: Moment,
    /// The database that requests with this name are about.
    pub(super) by: Option<String>,
    /// The database that answers clients.
    pub(super) answering: Option<String>,
}

/// An execution.
#[derive(Debug, Clone)]
pub(super) struct Execution {
    pub(super) id: String,
    pub(super) input: Value,
    pub(super) plan: Option<Box<Plan>>,
    pub(super) began: Moment,
    last_seen: Instant,
    /// How long it was at work, pauses in which nobody ran it left out.
    pub(super) at_work: Duration,
    /// The state whose task ran last.
    pub(super) state: String,
    /// That task, as the definition names it.
    pub(super) task: String,
    /// The tasks that have begun and not ended: a process that hangs may be in an earlier one.
    pub(super) running: Vec<String>,
    /// Whether Promote has seen the restored database serve, and says so on the original.
    pub(super) has_replaced: bool,
    /// When the task that runs began.
    pub(super) task_began: Moment,
    /// The moment that its last look showed.
    pub(super) looked_at: Moment,
    pub(super) is_verified: bool,
    /// When it first changed a database; marks are no change.
    pub(super) changed_since: Option<Moment>,
    /// When it last did.
    pub(super) changed_last: Option<Moment>,
    /// Whether it has deleted an original, or a part of one.
    pub(super) has_retired: bool,
    pub(super) ended: Option<Status>,
}

/// What a database is to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// It, or the execution that it undoes, made it.
    Made,
    /// It had the target's name, or a part's.
    Original,
    /// An earlier execution's original, about which the input decides.
    Kept,
    Stranger,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub(super) now: Moment,
    /// The time of each moment at which something changed.
    times: Vec<(Timestamp, Moment)>,
    pub(super) databases: BTreeMap<String, Known>,
    pub(super) snapshots: BTreeMap<String, KnownSnapshot>,
    names: BTreeMap<(bool, String), Vec<Held>>,
    pub(super) executions: BTreeMap<String, Execution>,
    /// Which task has asked for which action.
    pub(super) asked: BTreeSet<(String, String)>,
    /// What the databases that a request has changed were marked with before; whether each is a cluster.
    pub(super) before: BTreeMap<String, (bool, Marks)>,
    /// When somebody else than the product last changed something.
    pub(super) person_came: Moment,
}

impl Memory {
    /// Takes in what has changed.
    pub(super) fn learn(&mut self, change: &Change<'_>) {
        self.now += 1;
        self.times.push((change.view.at, self.now));
        let maker = match change.by {
            None => Maker::Rds,
            Some(request) => self.maker(request),
        };
        if change.by.is_some() && maker == Maker::Person {
            self.person_came = self.now;
        }
        let mut names = Vec::new();
        for touched in change.databases() {
            self.learn_of_database(&touched, &maker, &change.view, &mut names);
        }
        names.sort();
        names.dedup();
        for (is_cluster, name) in names {
            self.learn_who_has(is_cluster, name, &change.view);
        }
        for touched in change.snapshots() {
            self.learn_of_snapshot(&touched, &maker);
        }
    }

    fn maker(&self, request: &Asked<'_>) -> Maker {
        match execution_of(request.by) {
            Some(execution) => Maker::Execution(execution.to_owned()),
            None => Maker::Person,
        }
    }

    fn learn_of_database(
        &mut self,
        touched: &Touched<Database<'_>>,
        maker: &Maker,
        view: &View<'_>,
        names: &mut Vec<(bool, String)>,
    ) {
        for database in [touched.before, touched.now].into_iter().flatten() {
            names.push((database.is_cluster(), database.identifier().to_owned()));
            let cluster = database.cluster().and_then(|id| view.database(id));
            names.extend(cluster.map(|cluster| (true, cluster.identifier().to_owned())));
        }
        let Some(now) = touched.now else {
            let gone = touched.before.map(|before| before.resource_id());
            if let Some(known) = gone.and_then(|id| self.databases.get_mut(id)) {
                known.is_gone = true;
            }
            return;
        };
        let known = self
            .databases
            .entry(now.resource_id().to_owned())
            .or_insert_with(|| Known {
                name: String::new(),
                maker: maker.clone(),
                cluster: None,
                source: None,
                is_deleting: false,
                is_gone: false,
                promised: 0,
                writes: 0,
            });
        now.identifier().clone_into(&mut known.name);
        known.cluster = now.cluster().map(str::to_owned);
        known.source = now.source().map(str::to_owned);
        known.is_deleting = now.is_being_deleted();
    }

    fn learn_who_has(&mut self, is_cluster: bool, name: String, view: &View<'_>) {
        let mut all = view.databases();
        let has_it = |database: &Database<'_>| {
            database.is_cluster() == is_cluster
                && database.identifier() == name
                && database.is_named()
        };
        let holder = all.find(has_it);
        let held = Held {
            since: self.now,
            by: holder.map(|holder| holder.resource_id().to_owned()),
            answering: holder
                .filter(|holder| holder.answers())
                .map(|holder| holder.resource_id().to_owned()),
        };
        let history = self.names.entry((is_cluster, name)).or_default();
        let is_news = history
            .last()
            .is_none_or(|last| last.by != held.by || last.answering != held.answering);
        if is_news {
            history.push(held);
        }
    }

    fn learn_of_snapshot(&mut self, touched: &Touched<SnapshotView<'_>>, maker: &Maker) {
        let now = self.now;
        let gone = touched.before.filter(|_| touched.now.is_none());
        if let Some(known) = gone.and_then(|gone| self.snapshots.get_mut(&gone.arn())) {
            known.gone.get_or_insert(now);
        }
        let Some(snapshot) = touched.now else { return };
        // A name that is free again may be given again, to another snapshot.
        let is_new = touched.before.is_none();
        let known = KnownSnapshot {
            name: snapshot.identifier().to_owned(),
            maker: maker.clone(),
            is_ours: snapshot.tag("trapheus:role") == Some("snapshot"),
            source_name: snapshot.source_identifier().to_owned(),
            source: snapshot.source_resource_id().to_owned(),
            begun_at: snapshot.begun_at(),
            is_available: snapshot.is_available(),
            gone: None,
        };
        match self.snapshots.get_mut(&snapshot.arn()) {
            Some(old) if !is_new => {
                let maker = old.maker.clone();
                *old = KnownSnapshot { maker, ..known };
            }
            _ => _ = self.snapshots.insert(snapshot.arn(), known),
        }
    }

    /// Takes in a request that was answered.
    pub(super) fn learn_of_request(&mut self, request: &Asked<'_>, answer: Answer<'_>) {
        let shown = match answer {
            Answer::Stale(at) => self.moment_of(at),
            Answer::Carried | Answer::Refused(_) => self.now,
        };
        let execution = execution_of(request.by).and_then(|id| self.executions.get_mut(id));
        if let (Some(execution), true) = (execution, request.is_look()) {
            execution.looked_at = shown;
        }
    }

    /// The last moment that was over at a time.
    fn moment_of(&self, at: Timestamp) -> Moment {
        let later = self.times.partition_point(|(time, _)| *time <= at);
        later.checked_sub(1).map_or(0, |last| self.times[last].1)
    }

    /// Takes in that an execution changed a database.
    pub(super) fn learn_of_work(&mut self, request: &Asked<'_>) {
        let now = self.now;
        let by = execution_of(request.by).and_then(|id| self.executions.get(id));
        let retires = matches!(request.action, "DeleteDBInstance" | "DeleteDBCluster")
            && by.is_some_and(|execution| {
                request.subjects.iter().any(|subject| {
                    matches!(subject, Subject::Database(id)
                        if self.relation(execution, id) == Relation::Original)
                })
            });
        let execution = execution_of(request.by).and_then(|id| self.executions.get_mut(id));
        if let Some(execution) = execution {
            execution.changed_since.get_or_insert(now);
            execution.changed_last = Some(now);
            execution.has_retired |= retires;
        }
    }

    /// Takes in that an execution has told that its restored database serves.
    pub(super) fn learn_of_replacement(&mut self, request: &Asked<'_>) {
        let mut values = request.parameters.values();
        if request.action != "AddTagsToResource" || !values.any(|it| it == "trapheus:replaced") {
            return;
        }
        let by = execution_of(request.by).and_then(|id| self.executions.get_mut(id));
        if let Some(execution) = by {
            execution.has_replaced = true;
        }
    }

    /// Takes in that a client was promised a write.
    pub(super) fn learn_of_write(&mut self, resource_id: &str, writes: u64) {
        let holder = self.holder_of_data(resource_id).to_owned();
        if let Some(known) = self.databases.get_mut(&holder) {
            known.promised = known.promised.max(writes);
            known.writes += 1;
        }
    }

    /// Whose the data is: a member has its cluster's.
    pub(super) fn holder_of_data<'a>(&'a self, resource_id: &'a str) -> &'a str {
        let known = self.databases.get(resource_id);
        known
            .and_then(|known| known.cluster.as_deref())
            .unwrap_or(resource_id)
    }

    /// Who had a name at a moment, and ever since.
    pub(super) fn held_since(
        &self,
        is_cluster: bool,
        name: &str,
        since: Moment,
    ) -> impl Iterator<Item = &Held> {
        let history = self.names.get(&(is_cluster, name.to_owned()));
        let history = history.map(Vec::as_slice).unwrap_or_default();
        let later = history.partition_point(|held| held.since <= since);
        history[later.saturating_sub(1)..].iter()
    }

    /// Who answers at a name now.
    pub(super) fn answering(&self, is_cluster: bool, name: &str) -> Option<&str> {
        let now = self.held_since(is_cluster, name, self.now).last()?;
        now.answering.as_deref()
    }

    /// Another execution of the same target that has changed something and for which, as for this
    /// one, the name is not settled.
    pub(super) fn other_at_work(&self, execution: &Execution) -> Option<&Execution> {
        let plan = execution.plan.as_deref()?;
        let mut others = self.executions.values().filter(|_| !execution.is_through());
        others.find(|other| {
            let theirs = other.plan.as_deref();
            let has_this_target = theirs.is_some_and(|other| {
                other.kind == plan.kind && other.identifier == plan.identifier
            });
            other.id != execution.id
                && has_this_target
                && other.changed_since.is_some()
                && other.ended.is_none()
                && !other.is_through()
        })
    }

    /// Whether there is such, or has been since this one began.
    pub(super) fn is_another_at_work(&self, execution: &Execution) -> bool {
        let since = execution.began;
        let others = self.executions.values();
        let mut moved = others.filter(|other| {
            let is_the_same = other.plan.as_ref().map(|plan| &plan.identifier)
                == execution.plan.as_ref().map(|plan| &plan.identifier);
            other.id != execution.id && is_the_same
        });
        moved.any(|other| other.changed_last.is_some_and(|last| last > since))
    }

    /// What a database is to an execution.
    pub(super) fn relation(&self, execution: &Execution, resource_id: &str) -> Relation {
        let (Some(plan), Some(known)) = (&execution.plan, self.databases.get(resource_id)) else {
            return Relation::Stranger;
        };
        let made_it = match &known.maker {
            Maker::Execution(maker) => *maker == execution.id || maker == plan.owner(),
            Maker::Person | Maker::Rds => false,
        };
        let originals = plan.parts.iter().map(|part| &part.original);
        let mut originals = originals.chain([&plan.original]).flatten();
        if made_it {
            Relation::Made
        } else if originals.any(|original| original.resource_id.as_str() == resource_id) {
            Relation::Original
        } else if plan
            .kept_original
            .as_ref()
            .is_some_and(|kept| kept.resource_id.as_str() == resource_id)
        {
            Relation::Kept
        } else if let Some(cluster) = &known.cluster {
            self.relation(execution, cluster)
        } else {
            match &known.source {
                // The replicas of a kept original moved aside with it.
                Some(source) if self.relation(execution, source) == Relation::Kept => {
                    Relation::Kept
                }
                _ => Relation::Stranger,
            }
        }
    }
}

impl Execution {
    pub(super) fn new(id: &str, input: Value, began: Moment) -> Self {
        Self {
            id: id.to_owned(),
            input,
            plan: None,
            began,
            last_seen: Instant::now(),
            at_work: Duration::ZERO,
            state: String::new(),
            task: String::new(),
            running: Vec::new(),
            has_replaced: false,
            task_began: began,
            looked_at: began,
            is_verified: false,
            changed_since: None,
            changed_last: None,
            has_retired: false,
            ended: None,
        }
    }

    /// Notes that it does something.
    pub(super) fn is_seen(&mut self) {
        let now = Instant::now();
        self.at_work += now.duration_since(self.last_seen).min(LONGEST_PAUSE);
        self.last_seen = now;
    }

    /// Whether the name is settled for it: it only tells, waits, and removes its original.
    fn is_through(&self) -> bool {
        let serves = self.state == "Promote" && self.has_replaced;
        serves || self.state.starts_with("Report") || self.state == "Retire"
    }

    /// Whether something answers at the name when it succeeds. Who undoes the making of a database
    /// that was gone leaves the name as it was.
    pub(super) fn is_about_the_name(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| match plan.task {
            Task::DbRestore | Task::CreateSnapshot => true,
            Task::Rollback => plan.original.is_some(),
            Task::CreateSnapshotOnly | Task::RestoreInTargets => false,
        })
    }

    /// Whether it ended because the name could not be given back.
    pub(super) fn calls_for_a_person(&self) -> bool {
        matches!(&self.ended, Some(Status::Failed { error, .. }) if error == "Trapheus.RollbackFailed")
    }

    pub(super) fn was_aborted(&self) -> bool {
        matches!(self.ended, Some(Status::Aborted { .. }))
    }

    pub(super) fn is_cluster(&self) -> bool {
        let kind = self.plan.as_ref().map(|plan| plan.kind);
        kind == Some(trapheus_restore::Kind::Cluster)
    }
}
