//! What the sweeps go through: databases whose data was damaged after their snapshot, the paths
//! that an execution takes there, and what must be so afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::OnceCell;
use trapheus_restore::SummaryStatus;
use trapheus_testkit::{Frozen, Moment, Run, Simulation, Still, World};

/// What kind of database is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Instance,
    /// An instance with two read replicas.
    Replicas,
    /// An Aurora cluster: a writer that is not the first member by name, two readers, two custom
    /// endpoints.
    Aurora,
    /// A Multi-AZ DB cluster.
    MultiAz,
}

/// Which strategy the input asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strategy {
    Swap,
    InPlace,
}

pub(crate) const STRATEGIES: [Strategy; 2] = [Strategy::Swap, Strategy::InPlace];

/// What an execution goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// A snapshot, a restore from it, a day in which the original is kept, and its retirement.
    Good,
    /// A restore that fails in Verify: nothing of it may stay.
    Fails,
    /// A restore that fails when it has given the restored database the name: clients may have
    /// written to it, so it is kept.
    FailsServing,
    /// The kept original is swapped back.
    SwapBack,
}

pub(crate) const PATHS: [Path; 4] = [Path::Good, Path::Fails, Path::FailsServing, Path::SwapBack];

/// A database before anything is done to it.
pub(crate) struct Stage {
    pub(crate) simulation: Simulation,
    /// What RDS showed before anything was done.
    pub(crate) before: Arc<World>,
}

/// Made once for all sweeps of a process.
static MADE: [OnceCell<(Frozen, Arc<World>)>; 4] = [const { OnceCell::const_new() }; 4];

/// A database whose data was damaged after its snapshot.
pub(crate) async fn damaged(kind: Kind) -> Stage {
    let (frozen, before) = MADE[kind as usize]
        .get_or_init(async || {
            let simulation = Simulation::new(1).await;
            match kind {
                Kind::Instance => make_instance(&simulation, &[]).await,
                Kind::Replicas => make_instance(&simulation, &["near", "reports"]).await,
                Kind::Aurora => make_aurora(&simulation).await,
                Kind::MultiAz => make_multi_az(&simulation).await,
            }
            let before = simulation.world().await;
            (simulation.freeze(), Arc::new(before))
        })
        .await;
    Stage {
        simulation: frozen.thaw().await,
        before: before.clone(),
    }
}

async fn make_instance(simulation: &Simulation, replicas: &[&str]) {
    simulation.create_database("orders").await;
    simulation.put("orders", "state", "good");
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    for replica in replicas {
        let name = format!("orders-{replica}");
        let replicate = simulation.client().create_db_instance_read_replica();
        let replicate = replicate
            .source_db_instance_identifier("orders")
            .db_instance_identifier(&name);
        replicate.send().await.expect("it can be replicated");
        simulation.wait_until_available(&name).await;
    }
    simulation.put("orders", "state", "damaged");
}

async fn make_aurora(simulation: &Simulation) {
    simulation.create_cluster("orders").await;
    damage_cluster(simulation).await;
}

async fn make_multi_az(simulation: &Simulation) {
    let create = simulation.client().create_db_cluster();
    let create = create
        .db_cluster_identifier("orders")
        .engine("postgres")
        .db_cluster_instance_class("db.r6gd.large")
        .allocated_storage(100)
        .storage_type("io1")
        .iops(1000)
        .master_username("app")
        .master_user_password("secret-1234")
        .backup_retention_period(7)
        .deletion_protection(true);
    create.send().await.expect("it can be created");
    simulation.wait_until_cluster_available("orders").await;
    for number in 1..=3 {
        let member = format!("orders-instance-{number}");
        simulation.wait_until_available(&member).await;
    }
    damage_cluster(simulation).await;
}

async fn damage_cluster(simulation: &Simulation) {
    let address = simulation.world().await.clusters["orders"].address.clone();
    simulation.put_at(&address, "state", "good");
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put_at(&address, "state", "damaged");
}

/// An execution that is about to begin.
pub(crate) struct Scene {
    pub(crate) kind: Kind,
    pub(crate) strategy: Strategy,
    pub(crate) path: Path,
    pub(crate) stage: Stage,
    pub(crate) input: Value,
    /// What RDS shows when the execution begins.
    begins: World,
}

impl Scene {
    pub(crate) async fn set(kind: Kind, strategy: Strategy, path: Path) -> Self {
        let stage = damaged(kind).await;
        let mut input = json!({
            "identifier": "orders", "task": "db_restore",
            "strategy": match strategy {
                Strategy::Swap => "swap",
                Strategy::InPlace => "in_place",
            },
        });
        let simulation = &stage.simulation;
        match path {
            Path::Good => {
                input["task"] = json!("create_snapshot");
                input["keepOriginal"] = json!("24h");
            }
            Path::Fails => simulation.fail("${Verify}", Moment::After),
            Path::FailsServing => simulation.fail("${Promote}", Moment::After),
            Path::SwapBack => {
                input["keepOriginal"] = json!("24h");
                let kept = simulation.run_until_kept(input).await;
                simulation.abort(&kept.id);
                input = simulation.rollback_input(&kept, "orders");
            }
        }
        let begins = stage.simulation.world().await;
        Self {
            kind,
            strategy,
            path,
            stage,
            input,
            begins,
        }
    }

    /// Its name in goldens and messages.
    pub(crate) fn name(&self) -> String {
        format!("{:?} {:?} {:?}", self.kind, self.strategy, self.path)
    }

    pub(crate) fn there<'a>(&'a self, simulation: &'a Simulation, at: &'a str) -> There<'a> {
        There {
            simulation,
            before: &self.stage.before,
            at,
        }
    }

    /// In one of the worlds in which it goes on, what is said of it is true.
    pub(crate) async fn assert_truth(&self, simulation: &Simulation, run: &Run, at: &str) {
        let at = format!("{}, {at}", self.name());
        let there = self.there(simulation, &at);
        let summary = &run.summary;
        match (self.path, summary.status, summary.exit_code()) {
            (Path::SwapBack, SummaryStatus::Succeeded, _) | (_, SummaryStatus::Failed, 1) => {
                there.assert_original_serves(run).await;
            }
            (_, SummaryStatus::Succeeded, 0) => {
                let state = match self.path {
                    Path::Good => "damaged",
                    _ => "good",
                };
                there.assert_restored(state).await;
            }
            _other => panic!("{at}: {summary:#?}"),
        }
    }

    /// However it ended, what is said of the end is true.
    pub(crate) async fn assert_honest(&self, simulation: &Simulation, run: &Run, at: &str) {
        match run.summary.exit_code() {
            0 | 1 => self.assert_truth(simulation, run, at).await,
            2 => {
                let world = simulation.world().await;
                assert_eq!(world, self.begins, "{}, {at}", self.name());
            }
            3 => self.assert_kept(simulation, run, at).await,
            5 => self.assert_left_over(simulation, run, at).await,
            _other => panic!("{}, {at}: {:#?}", self.name(), run.summary),
        }
    }

    /// A roll-back that failed has lost nothing: the original is there with its data, whatever its
    /// name, and what to do is said.
    pub(crate) async fn assert_kept(&self, simulation: &Simulation, run: &Run, at: &str) {
        let at = format!("{}, {at}", self.name());
        let world = simulation.world().await;
        let now: Vec<&str> = identities(&world).into_values().collect();
        for (name, identity) in identities(&self.stage.before) {
            let is_head = name == "orders";
            assert!(!is_head || now.contains(&identity), "{at}: {name} is gone");
        }
        let remedy = run.summary.error.as_ref().map(|error| &error.remedy);
        assert!(
            remedy.is_some_and(|remedy| !remedy.is_empty()),
            "{at}: {:#?}",
            run.summary
        );
    }

    /// The restored data serves at the name, and what is left over is told.
    pub(crate) async fn assert_left_over(&self, simulation: &Simulation, run: &Run, at: &str) {
        let at = format!("{}, {at}", self.name());
        let state = match self.path {
            Path::Good | Path::SwapBack => "damaged",
            Path::Fails | Path::FailsServing => "good",
        };
        let found = simulation.get_at(&address(&self.stage.before), "state");
        assert_eq!(found.as_deref(), Some(state), "{at}: {:#?}", run.summary);
    }
}

fn address(world: &World) -> String {
    match world.clusters.get("orders") {
        Some(cluster) => cluster.address.clone(),
        None => world.databases["orders"].address.clone(),
    }
}

/// A world, and what it was.
pub(crate) struct There<'a> {
    simulation: &'a Simulation,
    before: &'a World,
    at: &'a str,
}

impl There<'_> {
    /// Whether the database that was there before is, at whatever name.
    pub(crate) async fn has_original(&self) -> bool {
        let world = self.simulation.world().await;
        let (now, then) = (identities(&world), identities(self.before));
        now.values().any(|identity| *identity == then["orders"])
    }

    /// Other databases with the same names, roles, settings and addresses, and nothing else.
    pub(crate) async fn assert_restored(&self, state: &str) {
        let after = self.simulation.world().await;
        let (now, then) = (identities(&after), identities(self.before));
        let at = self.at;
        assert_eq!(now.len(), then.len(), "{at}");
        for (name, identity) in &now {
            assert_ne!(then.get(name), Some(identity), "{at}: {name}");
        }
        assert_eq!(anonymous(after), anonymous(self.before.clone()), "{at}");
        self.assert_answers(state);
    }

    /// All is as before. What has answered at any of the names is kept aside, because clients may
    /// have written to it, and is named.
    pub(crate) async fn assert_original_serves(&self, run: &Run) {
        let (at, told) = (self.at, &run.summary.left_over);
        let mut world = self.simulation.world().await;
        let mut heads: Vec<String> = world.clusters.keys().cloned().collect();
        let instances = world.databases.iter();
        let instances = instances
            .filter(|(_, one)| one.cluster.is_empty() && one.replica_of.is_empty())
            .map(|(name, _)| name.clone());
        heads.extend(instances);
        let kept = heads.iter().filter(|name| name.contains("rolled-back"));
        let kept: Vec<&String> = kept.collect();
        assert_eq!(
            told.len(),
            kept.len(),
            "{at}: {told:?}, {:?}",
            world.names()
        );
        for (told, name) in told.iter().zip(kept) {
            assert!(told.contains(name.as_str()), "{at}: {told}");
            world.clusters.remove(name);
            let is_part = |one: &str| one == name.as_str();
            world.databases.retain(|own, one| {
                !is_part(own) && !is_part(&one.cluster) && !is_part(&one.replica_of)
            });
        }
        // The snapshot that an execution has made stays.
        let usable = world.snapshots.values().filter(|one| *one == "available");
        assert!(usable.count() >= self.before.snapshots.len(), "{at}");
        world.snapshots = self.before.snapshots.clone();
        assert_eq!(&world, self.before, "{at}");
        self.assert_answers("damaged");
    }

    /// The same data answers wherever something answered before, and takes writes where it did.
    pub(crate) fn assert_answers(&self, state: &str) {
        let at = self.at;
        let endpoints = endpoints(self.before);
        for (endpoint, address, takes_writes) in &endpoints {
            let found = self.simulation.get_at(address, "state");
            assert_eq!(found.as_deref(), Some(state), "{at}: {endpoint}");
            if *takes_writes {
                self.simulation.put_at(address, "written", at);
            }
        }
        // What the writer takes, every reader shows.
        for (endpoint, address, _) in &endpoints {
            let found = self.simulation.get_at(address, "written");
            assert_eq!(found.as_deref(), Some(at), "{at}: {endpoint}");
        }
    }
}

/// Every endpoint that there was, with its address and whether it takes writes.
fn endpoints(before: &World) -> Vec<(String, String, bool)> {
    let mut endpoints = Vec::new();
    let mut writers = Vec::new();
    for (name, cluster) in &before.clusters {
        endpoints.push((name.clone(), cluster.address.clone(), true));
        let readers = (format!("{name}'s readers"), cluster.reader_address.clone());
        endpoints.push((readers.0, readers.1, false));
        writers.extend(cluster.members.iter().filter(|(_, is)| **is));
    }
    for (name, database) in &before.databases {
        let takes_writes = match database.cluster.is_empty() {
            true => database.replica_of.is_empty(),
            false => writers.iter().any(|(writer, _)| *writer == name),
        };
        endpoints.push((name.clone(), database.address.clone(), takes_writes));
    }
    for (name, custom) in &before.custom_endpoints {
        endpoints.push((name.clone(), custom.address.clone(), false));
    }
    endpoints
}

/// The identities of all databases and clusters by name.
fn identities(world: &World) -> BTreeMap<&str, &str> {
    let clusters = world.clusters.iter();
    let clusters = clusters.map(|(name, one)| (name.as_str(), one.resource_id.as_str()));
    let databases = world.databases.iter();
    let databases = databases.map(|(name, one)| (name.as_str(), one.resource_id.as_str()));
    clusters.chain(databases).collect()
}

/// What RDS shows, but for identities, Trapheus's own marks and the names of snapshots.
fn anonymous(mut world: World) -> World {
    let is_users = |key: &String, _: &mut String| !key.starts_with("trapheus:");
    for database in world.databases.values_mut() {
        database.resource_id.clear();
        database.tags.retain(is_users);
    }
    for cluster in world.clusters.values_mut() {
        cluster.resource_id.clear();
        cluster.tags.retain(is_users);
    }
    // Automated ones come with every new database; of the others there is one.
    let manual = world
        .snapshots
        .iter()
        .filter(|(name, _)| !name.starts_with("rds:"));
    let statuses = manual.map(|(_, status)| ("one".to_owned(), status.clone()));
    world.snapshots = statuses.collect();
    world
}

/// The number of the sweep of kills.
pub(crate) const KILLS: usize = 1;

/// The pictures that a sweep goes on from. With `SWEEPS=full` that is all of them; otherwise every
/// n-th, by the kind and the sweep, and of polls that see nothing new the first two.
pub(crate) fn thinned<'a>(
    kind: Kind,
    sweep: usize,
    stills: impl Iterator<Item = &'a Still>,
) -> Vec<&'a Still> {
    if is_full() {
        return stills.collect();
    }
    let every = match kind {
        Kind::Instance => 2,
        Kind::Replicas | Kind::MultiAz => 3,
        Kind::Aurora => 5,
    };
    // What a death leaves is where every other sweep begins.
    let step = if sweep == KILLS { every } else { 2 * every };
    let told = stills.filter(|still| still.waits < 2);
    told.skip(sweep % step).step_by(step).collect()
}

/// Whether an action changes something.
pub(crate) fn is_change(action: &str) -> bool {
    !action.starts_with("Describe") && !action.starts_with("List")
}

pub(crate) fn is_full() -> bool {
    std::env::var("SWEEPS").is_ok_and(|sweeps| sweeps == "full")
}

/// Compares what was visited with the golden of the sweep, a line for each path.
pub(crate) fn lines(sweep: &str, kind: Kind, visited: &BTreeMap<String, String>) {
    let told = visited
        .iter()
        .map(|(what, count)| format!("{what}: {count}\n"));
    let name = match is_full() {
        true => format!("{sweep}_{kind:?}_full"),
        false => format!("{sweep}_{kind:?}"),
    };
    insta::assert_snapshot!(name, told.collect::<String>());
}

/// A test of a sweep for each kind of database: they run side by side.
macro_rules! of_every_kind {
    ($sweep:ident) => {
        #[tokio::test(start_paused = true)]
        async fn of_an_instance() {
            $sweep($crate::stage::Kind::Instance).await;
        }

        #[tokio::test(start_paused = true)]
        async fn of_an_instance_with_replicas() {
            $sweep($crate::stage::Kind::Replicas).await;
        }

        #[tokio::test(start_paused = true)]
        async fn of_an_aurora_cluster() {
            $sweep($crate::stage::Kind::Aurora).await;
        }

        #[tokio::test(start_paused = true)]
        async fn of_a_multi_az_cluster() {
            $sweep($crate::stage::Kind::MultiAz).await;
        }
    };
}
pub(crate) use of_every_kind;
