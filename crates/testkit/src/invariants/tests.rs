//! Each checker fires: a faulty product does, in the middle of a real restore, what a correct one
//! never does. A checker that cannot fire proves nothing.

use aws_sdk_rds::Client;
use serde_json::{Value, json};
use trapheus_engine::{ExecutionId, Journal};
use trapheus_local::connector;
use trapheus_local::observe::Observer;

use super::{
    BY_IDENTITY, Introduced, LEAST_PRIVILEGE, NEVER_WITHOUT, ONE_AT_A_TIME, SNAPSHOTS, THE_NAME,
    TIME, TRUTH, on_behalf_of,
};
use crate::interruptions::Calls;
use crate::simulation::{Simulation, client};

async fn stage() -> Simulation {
    let simulation = Simulation::new(1).await;
    simulation.create_database("orders").await;
    simulation.create_database("mine").await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    simulation
}

fn restore() -> Value {
    json!({"identifier": "orders", "task": "db_restore"})
}

impl Simulation {
    /// Sends requests as a product with a bug would, for the execution that began last.
    async fn misbehave<T>(&self, act: impl AsyncFnOnce(Client) -> T) -> T {
        let executions = self.lasting.journal.executions();
        let last = executions.expect("it is in memory").pop();
        self.misbehave_for(last.expect("it has begun").id, act)
            .await
    }

    async fn misbehave_for<T>(&self, id: ExecutionId, act: impl AsyncFnOnce(Client) -> T) -> T {
        let direct = connector(self.lasting.control_plane.clone());
        on_behalf_of(id, act(client(Introduced(direct)))).await
    }

    /// Goes on with an execution, and leaves it to others to judge.
    async fn end(&self, id: &ExecutionId) {
        let engine = self.engine(self.journal());
        let handle = engine.resume(id).expect("it was stopped");
        handle.wait().await.expect("the journal works");
    }

    fn broken(&self) -> Vec<&'static str> {
        // A faulty task does what its role would not let it do: that is what roles are for.
        let violations = self.take_violations().into_iter();
        let violations = violations.map(|violation| violation.invariant);
        let mut broken: Vec<_> = violations
            .filter(|broken| *broken != LEAST_PRIVILEGE)
            .collect();
        broken.dedup();
        broken
    }
}

/// What is broken when the product does this during a change of a restore, whatever becomes of it.
async fn broken_by(
    input: Value,
    change: u32,
    act: impl AsyncFnOnce(&Simulation),
) -> Vec<&'static str> {
    let simulation = stage().await;
    let mut broken = Vec::new();
    let interfered = simulation.interfere_in_change(input, change, async |simulation| {
        act(simulation).await;
        broken = simulation.broken();
    });
    // How it ends is judged by others.
    interfered.await.expect("so many changes are made");
    broken
}

async fn unprotect(client: &Client, name: &str) {
    let modify = client.modify_db_instance().db_instance_identifier(name);
    let modify = modify.deletion_protection(false).apply_immediately(true);
    modify
        .send()
        .await
        .expect("its protection can be taken off");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

async fn delete(client: &Client, name: &str) {
    let delete = client.delete_db_instance().db_instance_identifier(name);
    let delete = delete.skip_final_snapshot(true).send();
    delete.await.expect("it can be deleted");
}

async fn rename(client: &Client, name: &str, to: &str) {
    let modify = client.modify_db_instance().db_instance_identifier(name);
    let modify = modify
        .new_db_instance_identifier(to)
        .apply_immediately(true);
    modify.send().await.expect("it can be renamed");
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_touched() {
    let broken = broken_by(restore(), 1, async |simulation| {
        simulation
            .misbehave(async |client| unprotect(&client, "mine").await)
            .await;
    });
    assert_eq!(broken.await, [BY_IDENTITY]);
}

#[tokio::test(start_paused = true)]
async fn a_name_is_trusted_that_changed_hands_before_the_last_look() {
    for (looks, expected) in [(false, &[][..]), (true, &[BY_IDENTITY][..])] {
        let broken = broken_by(restore(), 1, async |simulation| {
            rename(simulation.client(), "orders", "saved").await;
            rename(simulation.client(), "mine", "orders").await;
            let act = async |client: Client| {
                if looks {
                    client
                        .describe_db_instances()
                        .send()
                        .await
                        .expect("it answers");
                }
                unprotect(&client, "orders").await;
            };
            simulation.misbehave(act).await;
            rename(simulation.client(), "orders", "mine").await;
            rename(simulation.client(), "saved", "orders").await;
        });
        assert_eq!(broken.await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_original_is_deleted_before_anything_replaces_it() {
    let simulation = stage().await;
    let stopped = simulation.stop_in_call(restore(), 1, Calls::Changes).await;
    assert!(stopped.is_some());
    simulation
        .misbehave(async |client| {
            unprotect(&client, "orders").await;
            delete(&client, "orders").await;
        })
        .await;
    assert_eq!(simulation.broken(), [NEVER_WITHOUT]);
}

#[tokio::test(start_paused = true)]
async fn what_clients_have_written_to_is_deleted() {
    let simulation = stage().await;
    let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "1h"});
    simulation.run_until_kept(input).await;
    simulation.put("orders", "state", "served");
    simulation
        .misbehave(async |client| {
            unprotect(&client, "orders").await;
            delete(&client, "orders").await;
        })
        .await;
    assert_eq!(simulation.broken(), [NEVER_WITHOUT]);
}

#[tokio::test(start_paused = true)]
async fn a_promised_write_vanishes() {
    let simulation = stage().await;
    let id = simulation.world().await.resource_id("orders").to_owned();
    simulation.lasting.ledger.wrote(simulation.now(), &id, 1000);
    unprotect(simulation.client(), "orders").await;
    assert_eq!(simulation.broken(), [NEVER_WITHOUT]);
}

#[tokio::test(start_paused = true)]
async fn an_execution_ends_with_nothing_at_the_name() {
    let simulation = stage().await;
    let input = json!({"identifier": "orders", "task": "db_restore", "keepOriginal": "1h"});
    let run = simulation.run_until_kept(input).await;
    simulation
        .misbehave(async |client| rename(&client, "orders", "elsewhere").await)
        .await;
    simulation.end(&run.id).await;
    assert_eq!(simulation.broken(), [THE_NAME, TRUTH]);
}

#[tokio::test(start_paused = true)]
async fn two_executions_work_on_one_target() {
    let simulation = stage().await;
    let waits = json!({"identifier": "orders", "task": "create_snapshot"});
    let first = simulation.stop_in_call(waits, 1, Calls::Changes).await;
    let first = first.expect("a snapshot is a change").id;
    simulation.wait_until_available("orders").await;
    let second = simulation.stop_in_call(restore(), 1, Calls::Changes).await;
    assert!(second.is_some());
    simulation
        .misbehave_for(first, async |client| unprotect(&client, "orders").await)
        .await;
    assert_eq!(simulation.broken(), [ONE_AT_A_TIME]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_goes_before_there_is_another() {
    let broken = broken_by(restore(), 2, async |simulation| {
        let act = async |client: Client| {
            let delete = client.delete_db_snapshot();
            let delete = delete.db_snapshot_identifier("orders-snapshot").send();
            delete.await.expect("it can be deleted");
        };
        simulation.misbehave(act).await;
    });
    assert_eq!(broken.await, [SNAPSHOTS]);
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_data_is_restored() {
    let simulation = stage().await;
    simulation.create_snapshot("mine", "my-snapshot").await;
    let stopped = simulation.stop_in_call(restore(), 1, Calls::Changes).await;
    assert!(stopped.is_some());
    let act = async |client: Client| {
        let restore = client.restore_db_instance_from_db_snapshot();
        let restore = restore.db_instance_identifier("wrong");
        let restore = restore.db_snapshot_identifier("my-snapshot").send();
        restore.await.expect("it can be restored");
    };
    simulation.misbehave(act).await;
    assert_eq!(simulation.broken(), [TRUTH]);
}

#[tokio::test(start_paused = true)]
async fn something_is_left_over_and_not_told() {
    let simulation = stage().await;
    let stopped = simulation.stop_in_call(restore(), 1, Calls::Changes).await;
    let act = async |client: Client| {
        let restore = client.restore_db_instance_from_db_snapshot();
        let restore = restore.db_instance_identifier("litter");
        let restore = restore.db_snapshot_identifier("orders-snapshot").send();
        restore.await.expect("it can be restored");
    };
    simulation.misbehave(act).await;
    simulation
        .end(&stopped.expect("a restore is a change").id)
        .await;
    assert_eq!(simulation.broken(), [TRUTH]);
}

#[tokio::test(start_paused = true)]
async fn an_execution_takes_for_ever() {
    let simulation = stage().await;
    let stopped = simulation.stop_in_call(restore(), 1, Calls::Changes).await;
    let id = stopped.expect("a restore is a change").id;
    for _ in 0..1000 {
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
        simulation
            .lasting
            .ledger
            .task_begins(&id, "Restore", "${Restore}");
    }
    simulation.end(&id).await;
    assert_eq!(simulation.broken(), [TIME]);
}
