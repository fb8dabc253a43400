//! A cluster whose data was damaged after its snapshot, and what must be so afterwards.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trapheus_testkit::{Run, Simulation, World};

pub(crate) const STRATEGIES: [&str; 2] = ["swap", "in_place"];

pub(crate) struct Stage {
    pub(crate) simulation: Simulation,
    /// What RDS showed before anything was done.
    pub(crate) before: World,
}

pub(crate) async fn damaged() -> Stage {
    let simulation = Simulation::new(1).await;
    simulation.create_cluster("orders").await;
    let address = simulation.world().await.clusters["orders"].address.clone();
    simulation.put_at(&address, "state", "good");
    simulation
        .create_cluster_snapshot("orders", "orders-snapshot")
        .await;
    simulation.put_at(&address, "state", "damaged");
    let before = simulation.world().await;
    Stage { simulation, before }
}

pub(crate) fn input(strategy: &str) -> Value {
    json!({"identifier": "orders", "task": "db_restore", "strategy": strategy})
}

impl Stage {
    /// Every endpoint that there was, with its address and whether it takes writes.
    pub(crate) fn endpoints(&self) -> Vec<(String, String, bool)> {
        let cluster = &self.before.clusters["orders"];
        let mut endpoints = vec![
            ("the cluster".to_owned(), cluster.address.clone(), true),
            (
                "the readers".to_owned(),
                cluster.reader_address.clone(),
                false,
            ),
        ];
        for (name, is_writer) in &cluster.members {
            let address = self.before.databases[name].address.clone();
            endpoints.push((name.clone(), address, *is_writer));
        }
        let custom = self.before.custom_endpoints.iter();
        endpoints
            .extend(custom.map(|(name, custom)| (name.clone(), custom.address.clone(), false)));
        endpoints
    }

    /// The same data answers wherever something answered before, and takes writes where it did.
    pub(crate) fn assert_answers(&self, state: &str, at: &str) {
        for (endpoint, address, takes_writes) in self.endpoints() {
            let found = self.simulation.get_at(&address, "state");
            assert_eq!(found.as_deref(), Some(state), "{at}: {endpoint}");
            if takes_writes {
                self.simulation.put_at(&address, "written", at);
            }
        }
        // What the writer takes, every reader shows.
        for (endpoint, address, _) in self.endpoints() {
            let found = self.simulation.get_at(&address, "written");
            assert_eq!(found.as_deref(), Some(at), "{at}: {endpoint}");
        }
    }

    /// Nothing is different from before.
    pub(crate) async fn assert_as_before(&self, at: &str) {
        assert_eq!(self.simulation.world().await, self.before, "{at}");
        self.assert_answers("damaged", at);
    }

    /// Other databases with the same names, roles, settings and addresses, and nothing else.
    pub(crate) async fn assert_restored(&self, at: &str) {
        let after = self.simulation.world().await;
        let identity = |world: &World| world.clusters["orders"].resource_id.clone();
        assert_ne!(identity(&after), identity(&self.before), "{at}");
        assert_eq!(anonymous(after), anonymous(self.before.clone()), "{at}");
        self.assert_answers("good", at);
    }

    /// All is as before. What has answered at any of the names is kept aside, because clients may
    /// have written to it, and is named.
    pub(crate) async fn assert_undone(&self, run: &Run, at: &str) {
        let mut world = self.simulation.world().await;
        let names: Vec<String> = world.clusters.keys().cloned().collect();
        let aside = names.iter().filter(|name| name.contains("rolled-back"));
        let told = run.summary.left_over.iter();
        let kept: Vec<&String> = aside.collect();
        assert_eq!(told.len(), kept.len(), "{at}: {:?}", run.summary.left_over);
        for (told, name) in told.zip(kept) {
            assert!(told.contains(name.as_str()), "{at}: {told}");
            let members = world.clusters.remove(name).expect("it is there").members;
            world
                .databases
                .retain(|name, _| !members.contains_key(name));
        }
        assert_eq!(world, self.before, "{at}");
        self.assert_answers("damaged", at);
    }

    /// Whatever happened, what is said of it is true: it succeeded, or all is as before.
    pub(crate) async fn assert_truth(&self, run: &Run, at: &str) {
        match run.summary.exit_code() {
            0 => self.assert_restored(at).await,
            1 => self.assert_undone(run, at).await,
            2 => self.assert_as_before(at).await,
            5 => {
                self.assert_answers("good", at);
                assert_ne!(run.summary.left_over, [""; 0], "{at}");
            }
            _loud => panic!("{at}: {:?}", run.summary.error),
        }
    }
}

/// What RDS shows, but for identities and Trapheus's own marks.
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
    // Automated ones come with every new database.
    world.snapshots.retain(|name, _| !name.starts_with("rds:"));
    world
}

/// How often each thing happened, a line each.
pub(crate) fn counts(counts: &BTreeMap<String, u32>) -> String {
    counts
        .iter()
        .map(|(what, count)| format!("{what}: {count}\n"))
        .collect()
}
