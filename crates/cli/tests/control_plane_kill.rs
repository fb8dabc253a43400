//! `kill -9` of the control plane, `trapheus local up`, in the middle of every operation: after the
//! next start what was begun is finished, nothing is lost, and no server runs that the API doesn't
//! know of.

mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod execution;
    pub(crate) mod killed_local;
    pub(crate) mod local;
    pub(crate) mod patience;
    pub(crate) mod rds;
    pub(crate) mod rows;
    pub(crate) mod trapheus;
    pub(crate) mod work;
}

use std::collections::BTreeSet;
use std::time::Duration;

use common::execution::Home;
use common::local::LocalRds;
use common::patience::{done, until};
use common::rds::Rds;
use common::rows::Contents;
use serde_json::json;

/// Every operation is long enough to be seen.
const AS_ON_AWS: &[&str] = &["--durations", "aws", "--time-scale", "24"];
const AT_ONCE: &[&str] = &[];

/// A local RDS with a database, its snapshot, and what is in both.
struct Stage {
    local: LocalRds,
    rds: Rds,
    contents: Contents,
}

impl Stage {
    fn build() -> Self {
        let local = LocalRds::up();
        let rds = Rds::at(&local.endpoint_url);
        let rows = rds.create("base");
        rows.fill();
        rds.snapshot("base", "base-snapshot");
        Self {
            contents: rows.contents(),
            local,
            rds,
        }
    }

    fn kill_and_start(&mut self, durations: &[&str]) {
        self.local.kill();
        self.local.up_again(durations);
    }

    /// What is on its way: names with their statuses.
    fn on_its_way(&self) -> BTreeSet<String> {
        let instances = self.rds.instances().into_iter().map(|instance| {
            let name = instance.db_instance_identifier.unwrap_or_default();
            (name, instance.db_instance_status.unwrap_or_default())
        });
        let snapshots = self.rds.snapshots().into_iter().map(|snapshot| {
            let name = snapshot.db_snapshot_identifier.unwrap_or_default();
            (name, snapshot.status.unwrap_or_default())
        });
        instances
            .chain(snapshots)
            .filter(|(_, status)| !["available", "stopped"].contains(&status.as_str()))
            .map(|(name, status)| format!("{name} {status}"))
            .collect()
    }

    /// Waits until nothing is on its way, one thing after the other: what hangs is named.
    fn settle(&self) {
        while let Some(first) = self.on_its_way().first().cloned() {
            until(&format!("this is over: {first}"), || {
                (!self.on_its_way().contains(&first)).then_some(())
            });
        }
    }

    /// Makes sure that there are servers and directories for what the API shows, and no others.
    fn is_tidy(&self, round: &str) {
        let (mut known, mut serving) = (BTreeSet::new(), BTreeSet::new());
        for instance in self.rds.instances() {
            let resource_id = instance.dbi_resource_id().expect("databases have one");
            let directory = resource_id.to_ascii_lowercase();
            if instance.db_instance_status() != Some("stopped") {
                serving.insert(directory.clone());
            }
            known.insert(directory);
        }
        assert_eq!(self.local.running(), serving, "servers {round}");
        // What was deleted goes away a moment after the API has forgotten it.
        until(
            &format!("the directories are those of databases {round}"),
            || (self.local.directories("servers") == known).then_some(()),
        );
        let snapshots = self.rds.snapshots().len();
        until(
            &format!("the directories are those of snapshots {round}"),
            || (self.local.directories("snapshots").len() == snapshots).then_some(()),
        );
    }

    /// Makes sure that a database serves with the rows that it should have.
    fn is_whole(&self, identifier: &str) {
        let contents = self.rds.rows(identifier).contents();
        assert_eq!(contents, self.contents, "{identifier}");
    }
}

#[test]
fn every_operation_is_finished_after_kills_in_the_middle() {
    let mut stage = Stage::build();
    let copies = [
        "deleted", "modified", "rebooted", "renamed", "snapped", "started", "stopped",
    ];
    for copy in copies {
        stage.rds.restore("base-snapshot", copy);
    }
    stage.settle();
    stage.rds.stop("started");
    stage.settle();
    stage.rds.snapshot("base", "forgotten");

    stage.kill_and_start(AS_ON_AWS);
    let base = stage.local.process_of(&stage.rds.resource_id("base"));
    stage.rds.begin_create("created");
    stage.rds.restore("base-snapshot", "restored");
    stage.rds.start("started");
    stage.rds.delete("deleted");
    stage.rds.modify("modified");
    stage.rds.stop("stopped");
    stage.rds.rename("renamed", "renamed-now");
    stage.rds.delete_snapshot("forgotten");
    stage.rds.copy("base-snapshot", "base-copy");
    stage.rds.begin_snapshot("snapped", "snapped-snapshot");
    stage.rds.reboot("rebooted");
    let all = [
        "base-copy creating",
        "created creating",
        "deleted deleting",
        "modified modifying",
        "rebooted rebooting",
        "renamed-now renaming",
        "restored creating",
        "snapped backing-up",
        "snapped-snapshot creating",
        "started starting",
        "stopped stopping",
    ];
    let all = all.map(str::to_owned).into();
    until("everything is on its way at once", || {
        (stage.on_its_way() == all).then_some(())
    });
    // Killed again whenever something has come to its end meanwhile.
    loop {
        let before = stage.on_its_way();
        if before.is_empty() {
            break;
        }
        stage.kill_and_start(AS_ON_AWS);
        until("something more is done", || {
            (stage.on_its_way() != before).then_some(())
        });
    }

    stage.kill_and_start(AT_ONCE);
    stage.is_tidy("after all operations");
    assert_eq!(
        stage.local.process_of(&stage.rds.resource_id("base")),
        base,
        "a server that had nothing to do runs on"
    );
    let expected = [
        "base",
        "created",
        "modified",
        "rebooted",
        "renamed-now",
        "restored",
        "snapped",
        "started",
        "stopped",
    ];
    assert_eq!(stage.rds.names(""), expected);
    stage.rds.rows("created").fill();
    let modified = stage.rds.available("modified");
    assert_eq!(modified.backup_retention_period(), Some(7));
    stage.rds.start("stopped");
    for name in expected {
        stage.is_whole(name);
    }
    for (snapshot, database) in [
        ("base-copy", "of-the-copy"),
        ("snapped-snapshot", "of-the-snapshot"),
    ] {
        stage.rds.restore(snapshot, database);
        stage.is_whole(database);
    }
    stage.is_tidy("in the end");
    stage.local.down();
}

#[test]
fn work_that_was_cut_off_anywhere_is_done_again() {
    let mut stage = Stage::build();
    for (round, delay_milliseconds) in [0, 30, 100, 250].into_iter().enumerate() {
        let name = |what: &str| format!("{what}-{round}");
        stage.rds.restore("base-snapshot", &name("restored"));
        stage.rds.begin_snapshot("base", &name("snapshot"));
        stage.rds.copy("base-snapshot", &name("copy"));
        stage.rds.begin_create(&name("created"));
        if round > 0 {
            stage.rds.delete(&format!("restored-{}", round - 1));
            stage.rds.delete(&format!("created-{}", round - 1));
            stage.rds.delete_snapshot(&format!("copy-{}", round - 1));
        }
        // Where in the work the kill comes decides nothing but what is tried.
        let delay = Duration::from_millis(delay_milliseconds);
        done(async { tokio::time::sleep(delay).await });
        stage.kill_and_start(AT_ONCE);
        stage.settle();
        stage.is_tidy(&format!("in round {round}"));
        for whole in ["base", &name("restored")] {
            stage.is_whole(whole);
        }
        stage.rds.rows(&name("created")).fill();
        stage.is_whole(&name("created"));
    }
    for (round, snapshot) in ["snapshot-0", "snapshot-3", "copy-3"].iter().enumerate() {
        let database = format!("again-{round}");
        stage.rds.restore(snapshot, &database);
        stage.is_whole(&database);
    }
    stage.local.down();
}

#[test]
fn a_restore_outlives_the_control_plane() {
    let mut stage = Stage::build();
    stage.rds.rows("base").write("after the snapshot");
    let original = stage.rds.resource_id("base");
    stage.kill_and_start(AS_ON_AWS);
    let home = Home::new(&stage.local.endpoint_url);
    let running = home.start(&["restore", "base"]);
    for state in ["Restore", "Configure", "MoveAside", "Promote", "Retire"] {
        until(&format!("the execution is in {state}"), || {
            (home.state().as_deref() == Some(state)).then_some(())
        });
        stage.kill_and_start(AS_ON_AWS);
    }
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(ended.result["status"], "SUCCEEDED");
    assert_eq!(ended.result["leftOver"], json!([]));
    assert_eq!(stage.rds.names(""), ["base"]);
    assert_ne!(stage.rds.resource_id("base"), original);
    stage.is_whole("base");
    stage.is_tidy("after the restore");
    stage.local.down();
}
