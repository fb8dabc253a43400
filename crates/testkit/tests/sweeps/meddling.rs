//! A person interferes: renames, deletes, modifies or stops what an execution works with, takes its
//! names, or deletes the snapshot, while one of its calls has been carried out and is not answered,
//! or while its process is dead. It may fail then, and must say so; what it must never do is to
//! touch what is not its own, lose data, or tell a success that is none.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Run, Simulation, Still, When, World};

use crate::combinations::Combinations;
use crate::stage::{Kind, Path, STRATEGIES, Scene, is_full, lines, of_every_kind, thinned};

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    RenameRestored,
    DeleteRestored,
    RenameOriginal,
    DeleteOriginal,
    TakeAsideName,
    TakeRestoredName,
    TakeTargetName,
    DeleteSnapshots,
    ModifyOriginal,
    ModifyRestored,
    StopOriginal,
}

const ACTS: [Act; 11] = [
    Act::RenameRestored,
    Act::TakeTargetName,
    Act::DeleteRestored,
    Act::ModifyOriginal,
    Act::RenameOriginal,
    Act::TakeAsideName,
    Act::DeleteSnapshots,
    Act::DeleteOriginal,
    Act::TakeRestoredName,
    Act::StopOriginal,
    Act::ModifyRestored,
];

async fn sweep(kind: Kind) {
    let mut visited = BTreeMap::new();
    let mut combinations = Combinations::default();
    let faults = ACTS.map(|act| format!("{act:?}"));
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    for strategy in STRATEGIES {
        for path in [Path::Good, Path::Fails] {
            let scene = Scene::set(kind, strategy, path).await;
            let (run, recording) = scene.stage.simulation.record(scene.input.clone()).await;
            combinations.add(strategy, &recording.stills, &faults);
            let mut done: BTreeMap<Act, u32> = BTreeMap::new();
            let stills = thinned(kind, 4, recording.stills.iter());
            for (number, still) in stills.into_iter().enumerate() {
                let acts = match is_full() {
                    true => ACTS.to_vec(),
                    false => vec![ACTS[number % ACTS.len()]],
                };
                for act in acts {
                    if interfere(&scene, still, &run, act).await {
                        combinations.visit(strategy, &still.state, &format!("{act:?}"));
                        *done.entry(act).or_default() += 1;
                    }
                }
            }
            let told = done.iter().map(|(act, times)| format!("{act:?} {times}"));
            visited.insert(scene.name(), told.collect::<Vec<_>>().join(", "));
        }
    }
    visited.extend([combinations.line()]);
    lines("meddling", kind, &visited);
}

/// One interference; `false` where RDS doesn't let the person do it, or there is nothing to do it to.
async fn interfere(scene: &Scene, still: &Still, run: &Run, act: Act) -> bool {
    let at = format!("{}, {act:?} at {}", scene.name(), still.at());
    let simulation = still.world.thaw().await;
    if simulation.has_ended(&run.id) {
        return false;
    }
    let person = Person {
        simulation: &simulation,
        is_cluster: matches!(scene.kind, Kind::Aurora | Kind::MultiAz),
        original: resource_id(&scene.stage.before, "orders").expect("it was there"),
        execution: run.id.as_str(),
    };
    let mut is_done = false;
    let mut is_going = false;
    let late = match still.when {
        // It goes on to the next change, and is alive when somebody acts.
        When::AfterEvent => {
            let act = async |_: &Simulation| {
                is_going = person.original_is_going().await;
                is_done = person.does(act).await;
            };
            simulation
                .interfere_in_resumed_change(&run.id, 1, act)
                .await
        }
        _in_a_call => {
            is_going = person.original_is_going().await;
            is_done = person.does(act).await;
            Some(simulation.resume(&run.id).await)
        }
    };
    let (true, Some(late)) = (is_done, late) else {
        return false;
    };
    let world = simulation.world().await;
    let after = After {
        person: &person,
        act,
        is_going,
        run: &late,
        world: &world,
        at: &at,
    };
    after.assert_nothing_lost();
    true
}

/// The end of an execution that somebody interfered with.
struct After<'a> {
    person: &'a Person<'a>,
    act: Act,
    /// Whether the original was being deleted when they acted.
    is_going: bool,
    run: &'a Run,
    world: &'a World,
    at: &'a str,
}

impl After<'_> {
    /// What must be so whatever the person has done.
    fn assert_nothing_lost(&self) {
        let Self { act, world, at, .. } = *self;
        let summary = &self.run.summary;
        for (found, tags) in strangers(world) {
            let touched = tags.keys().any(|key| key.starts_with("trapheus:"));
            assert!(!touched, "{at}: {found} is marked: {tags:?}");
        }
        if matches!(
            act,
            Act::TakeAsideName | Act::TakeRestoredName | Act::TakeTargetName
        ) {
            assert_eq!(strangers(world).len(), 1, "{at}: {summary:#?}");
        }
        let original = name_of(world, &self.person.original);
        let serving = resource_id(world, "orders");
        let restored = summary.restored_resource_id.as_ref();
        let restored_serves = serving.is_some() && serving == restored.map(ToString::to_string);
        let original_serves = serving.as_ref() == Some(&self.person.original);
        match summary.status {
            SummaryStatus::Succeeded => {
                // Once it has served, a person may take it away, but not with both lost.
                let taken = matches!(act, Act::RenameRestored | Act::DeleteRestored)
                    && (original.is_some() || self.is_going);
                assert!(restored_serves || taken, "{at}: {serving:?}, {summary:#?}");
            }
            SummaryStatus::Failed => {
                let taken = matches!(
                    act,
                    Act::RenameOriginal | Act::DeleteOriginal | Act::TakeTargetName
                );
                assert!(original_serves || taken, "{at}: {serving:?}, {summary:#?}");
            }
            SummaryStatus::RollbackFailed => {
                let error = summary.error.as_ref().expect("it says why");
                assert!(!error.message.is_empty(), "{at}");
            }
            _unended => panic!("{at}: {summary:#?}"),
        }
        // The original's data goes when the restored one serves, or by the person's own hand.
        let may_be_gone = act == Act::DeleteOriginal || self.is_going || restored_serves;
        assert!(original.is_some() || may_be_gone, "{at}: {summary:#?}");
    }
}

/// Somebody with the console.
struct Person<'a> {
    simulation: &'a Simulation,
    is_cluster: bool,
    original: String,
    execution: &'a str,
}

impl Person<'_> {
    async fn does(&self, act: Act) -> bool {
        let world = self.simulation.world().await;
        let original = name_of(&world, &self.original);
        let restored = self.restored(&world);
        match act {
            Act::RenameRestored => self.renames(restored, "somebodys").await,
            Act::RenameOriginal => self.renames(original, "somebodys").await,
            Act::DeleteRestored => self.deletes(&world, restored).await,
            Act::DeleteOriginal => self.deletes(&world, original).await,
            Act::TakeAsideName => self.makes("orders-temp").await,
            Act::TakeRestoredName => self.makes("orders-trapheus-new").await,
            Act::TakeTargetName => self.makes("orders").await,
            Act::ModifyOriginal => self.modifies(original).await,
            Act::ModifyRestored => self.modifies(restored).await,
            Act::StopOriginal => self.stops(original).await,
            Act::DeleteSnapshots => self.deletes_snapshots(&world).await,
        }
    }

    /// Whether the database that was there before is being deleted, or is gone.
    async fn original_is_going(&self) -> bool {
        let world = self.simulation.world().await;
        let Some(name) = name_of(&world, &self.original) else {
            return true;
        };
        match world.clusters.get(&name) {
            Some(cluster) => cluster.status == "deleting",
            None => world.databases[&name].status == "deleting",
        }
    }

    /// The name of the database that the execution has made.
    fn restored(&self, world: &World) -> Option<String> {
        let is_it = |tags: &BTreeMap<String, String>| {
            tags.get("trapheus:execution")
                .is_some_and(|it| it == self.execution)
                && tags
                    .get("trapheus:role")
                    .is_some_and(|role| role == "restored")
        };
        if self.is_cluster {
            let found = world.clusters.iter().find(|(_, one)| is_it(&one.tags));
            return found.map(|(name, _)| name.clone());
        }
        let mut instances = world.databases.iter();
        let found = instances.find(|(_, one)| one.replica_of.is_empty() && is_it(&one.tags));
        found.map(|(name, _)| name.clone())
    }

    /// Asks for something about a database; `false` when it is refused.
    async fn asks(&self, verb: &str, name: Option<String>, mut members: Value) -> bool {
        let Some(name) = name else {
            return false;
        };
        let (noun, id) = match self.is_cluster {
            true => ("DBCluster", "DBClusterIdentifier"),
            false => ("DBInstance", "DBInstanceIdentifier"),
        };
        members[id] = json!(name);
        let action = format!("{verb}{noun}");
        self.simulation.ask(&action, members).await.is_ok()
    }

    async fn renames(&self, name: Option<String>, to: &str) -> bool {
        let id = match self.is_cluster {
            true => "NewDBClusterIdentifier",
            false => "NewDBInstanceIdentifier",
        };
        let members = json!({id: to, "ApplyImmediately": true});
        self.asks("Modify", name, members).await
    }

    async fn modifies(&self, name: Option<String>) -> bool {
        let members = json!({"BackupRetentionPeriod": 3, "ApplyImmediately": true});
        self.asks("Modify", name, members).await
    }

    async fn stops(&self, name: Option<String>) -> bool {
        self.asks("Stop", name, json!({})).await
    }

    /// Takes the protection off first, as the console demands; a cluster's members go with it.
    async fn deletes(&self, world: &World, name: Option<String>) -> bool {
        let open = json!({"DeletionProtection": false, "ApplyImmediately": true});
        if !self.asks("Modify", name.clone(), open).await {
            return false;
        }
        settle().await;
        let cluster = name.as_ref().and_then(|name| world.clusters.get(name));
        for member in cluster.iter().flat_map(|cluster| cluster.members.keys()) {
            let members = json!({"DBInstanceIdentifier": member, "SkipFinalSnapshot": true});
            // A Multi-AZ cluster's members can't be deleted by themselves.
            drop(self.simulation.ask("DeleteDBInstance", members).await);
        }
        self.asks("Delete", name, json!({"SkipFinalSnapshot": true}))
            .await
    }

    async fn makes(&self, name: &str) -> bool {
        let members = json!({
            "Engine": if self.is_cluster { "aurora-postgresql" } else { "postgres" },
            "MasterUsername": "app", "MasterUserPassword": "a-long-password",
            "Tags": [{"Key": "stranger", "Value": "yes"}],
        });
        let members = match self.is_cluster {
            true => members,
            false => {
                let mut members = members;
                members["DBInstanceClass"] = json!("db.t3.medium");
                members["AllocatedStorage"] = json!(20);
                members
            }
        };
        self.asks("Create", Some(name.to_owned()), members).await
    }

    async fn deletes_snapshots(&self, world: &World) -> bool {
        let (action, id) = match self.is_cluster {
            true => ("DeleteDBClusterSnapshot", "DBClusterSnapshotIdentifier"),
            false => ("DeleteDBSnapshot", "DBSnapshotIdentifier"),
        };
        let mut is_done = false;
        for name in world
            .snapshots
            .keys()
            .filter(|name| !name.starts_with("rds:"))
        {
            is_done |= self.simulation.ask(action, json!({id: name})).await.is_ok();
        }
        is_done
    }
}

/// Longer than anything takes here that was begun before.
async fn settle() {
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

/// Databases and clusters that the person has made.
fn strangers(world: &World) -> Vec<(&str, &BTreeMap<String, String>)> {
    let databases = world.databases.iter().map(|(name, one)| (name, &one.tags));
    let clusters = world.clusters.iter().map(|(name, one)| (name, &one.tags));
    let tagged = databases
        .chain(clusters)
        .filter(|(_, tags)| tags.contains_key("stranger"));
    tagged.map(|(name, tags)| (name.as_str(), tags)).collect()
}

/// The identity of the cluster or database of a name.
fn resource_id(world: &World, name: &str) -> Option<String> {
    let cluster = world.clusters.get(name).map(|one| one.resource_id.clone());
    cluster.or_else(|| world.databases.get(name).map(|one| one.resource_id.clone()))
}

fn name_of(world: &World, identity: &str) -> Option<String> {
    let clusters = world
        .clusters
        .iter()
        .map(|(name, one)| (name, &one.resource_id));
    let databases = world
        .databases
        .iter()
        .map(|(name, one)| (name, &one.resource_id));
    let mut all = clusters.chain(databases);
    all.find(|(_, id)| *id == identity)
        .map(|(name, _)| name.clone())
}

of_every_kind!(sweep);
