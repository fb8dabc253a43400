//! SQL in the restored database before it gets the name: what it changes, what it finds wrong, and
//! what becomes of it when processes die.

use std::future::ready;
use std::time::Duration;

use serde_json::{Value, json};
use trapheus_rds::Permit;
use trapheus_restore::{ErrorName, SummaryStatus};
use trapheus_testkit::{Moment, Run, Simulation};

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop";
const MASK: &str = "UPDATE rows SET email = 'masked'";

/// Production's snapshot is to go behind the name of staging.
async fn staging() -> Simulation {
    with_staging(Simulation::new(1).await).await
}

async fn with_staging(simulation: Simulation) -> Simulation {
    for name in ["production", "staging"] {
        simulation.create_database(name).await;
        simulation.put(name, "email", &format!("somebody@{name}"));
    }
    simulation.put("production", "event", "tells customers");
    simulation
        .create_snapshot("production", "production-snapshot")
        .await;
    simulation.keep_secret(SECRET, "a-password");
    simulation
}

fn input(prepare: Value, verify: &str) -> Value {
    let mut input = json!({
        "identifier": "staging", "sourceIdentifier": "production", "task": "db_restore",
        "snapshotIdentifier": "production-snapshot", "credentials": {"secretArn": SECRET},
        "prepare": prepare,
    });
    if !verify.is_empty() {
        input["verify"] = json!({"sql": verify});
    }
    input
}

fn masking() -> Value {
    input(
        json!({"sql": MASK, "requireMasked": ["email"]}),
        "SELECT email = 'masked' FROM rows",
    )
}

fn assert_succeeded(run: &Run) {
    let summary = &run.summary;
    assert_eq!(summary.status, SummaryStatus::Succeeded, "{summary:#?}");
}

/// The restore failed with this error, and staging is as it was.
async fn assert_rolled_back(simulation: &Simulation, run: &Run, name: &str) -> String {
    let summary = &run.summary;
    assert_eq!(summary.status, SummaryStatus::Failed, "{summary:#?}");
    let error = summary.error.as_ref().unwrap();
    assert_eq!(error.name, name, "{summary:#?}");
    assert_eq!(
        simulation.get("staging", "email").as_deref(),
        Some("somebody@staging")
    );
    let world = simulation.world().await;
    assert_eq!(world.names(), ["production", "staging"]);
    error.message.clone()
}

#[tokio::test(start_paused = true)]
async fn nobody_reads_by_name_what_is_to_be_masked() {
    for strategy in ["swap", "in_place"] {
        let simulation = with_staging(Simulation::with_aws_durations(3).await).await;
        let mut input = masking();
        input["strategy"] = json!(strategy);
        let reader = simulation.client_of("staging");
        let mut seen = Vec::new();
        let run = simulation.run(input);
        tokio::pin!(run);
        let run = loop {
            tokio::select! {
                run = &mut run => break run,
                () = tokio::time::sleep(Duration::from_secs(1)) => {
                    seen.extend(reader.get("email").ok().flatten());
                }
            }
        };
        assert_succeeded(&run);
        seen.dedup();
        assert_eq!(
            seen.first().map(String::as_str),
            Some("somebody@staging"),
            "{strategy}"
        );
        assert!(
            !seen.contains(&"somebody@production".to_owned()),
            "{strategy}: {seen:?}"
        );
        assert_eq!(
            simulation.get("staging", "email").as_deref(),
            Some("masked")
        );
        assert!(run.summary.verified[0].holds);
    }
}

#[tokio::test(start_paused = true)]
async fn quarantine_switches_off_what_acts_and_says_so() {
    let simulation = staging().await;
    let run = simulation.run(input(json!({"quarantine": true}), "")).await;
    assert_succeeded(&run);
    assert_eq!(run.summary.quarantined, ["event: off"]);
    assert_eq!(simulation.get("staging", "event").as_deref(), Some("off"));
    let production = simulation.get("production", "event");
    assert_eq!(production.as_deref(), Some("tells customers"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_as_asked_stops_the_restore_before_the_swap() {
    let forgotten = input(json!({"sql": MASK, "requireMasked": ["mail", "*vent"]}), "");
    let nothing = input(json!({"requireMasked": ["email"]}), "");
    let broken = input(json!({"sql": "MASK EVERYTHING"}), "");
    for (input, what) in [
        (forgotten, "event of public.rows"),
        (nothing, "email of public.rows"),
        (broken, "`MASK EVERYTHING`: syntax error"),
    ] {
        let simulation = staging().await;
        let run = simulation.run(input).await;
        let message = assert_rolled_back(&simulation, &run, "Trapheus.PreparationFailed").await;
        assert!(message.contains(what), "{message}");
    }
    let simulation = staging().await;
    let run = simulation
        .run(input(json!({"sql": MASK}), "SELECT email = 'x' FROM rows"))
        .await;
    let message = assert_rolled_back(&simulation, &run, "Trapheus.VerificationFailed").await;
    assert_eq!(message, "`SELECT email = 'x' FROM rows` returned false");
}

#[tokio::test(start_paused = true)]
async fn a_failure_around_the_preparation_is_undone() {
    for moment in [Moment::Before, Moment::After] {
        let simulation = staging().await;
        let run = simulation
            .run_failing(masking(), "${Prepare}", moment)
            .await;
        let run = run.expect("the state is entered");
        assert_rolled_back(&simulation, &run, "Trapheus.Struck").await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_login_nothing_changes() {
    let simulation = staging().await;
    let before = simulation.world().await;
    let mut without = masking();
    without.as_object_mut().unwrap().remove("credentials");
    let mut unreadable = masking();
    unreadable["credentials"]["secretArn"] = json!("no-such-secret");
    for input in [without, unreadable] {
        let run = simulation.run(input).await;
        assert_eq!(run.summary.exit_code(), 2, "{:#?}", run.summary);
        assert_eq!(simulation.world().await, before);
    }
}

/// A script that shows how often it was run; the process dies around every event and call.
#[tokio::test(start_paused = true)]
async fn a_script_runs_once_however_a_process_dies() {
    let simulation = staging().await;
    let once = input(json!({"sql": "UPDATE rows SET email = email || '!'"}), "");
    let (run, recording) = simulation.record(once).await;
    let mut resumed = 0;
    for still in &recording.stills {
        let simulation = still.world.thaw().await;
        if simulation.has_ended(&run.id) {
            continue;
        }
        let run = simulation.resume(&run.id).await;
        assert_succeeded(&run);
        let email = simulation.get("staging", "email");
        assert_eq!(
            email.as_deref(),
            Some("somebody@production!"),
            "{}",
            still.at()
        );
        resumed += 1;
    }
    let sql = recording.stills.iter().filter(|still| still.what == "SQL");
    assert_eq!(sql.count(), 2);
    assert!(resumed > 15, "{resumed}");
}

/// An older copy of the journal comes back after the execution has ended.
#[tokio::test(start_paused = true)]
async fn no_script_runs_in_a_database_that_serves() {
    let simulation = staging().await;
    let once = input(json!({"sql": "UPDATE rows SET email = email || '!'"}), "");
    let (run, recording) = simulation.record(once).await;
    assert_succeeded(&run);
    let mut successes = recording.successes.iter();
    let prepare = successes.find(|one| one.resource == "${Prepare}").unwrap();
    let again = simulation.tasks();
    let made = again.run(&prepare.resource, prepare.input.clone()).await;
    assert_eq!(made.unwrap()["statements"], 1);
    let email = simulation.get("staging", "email");
    assert_eq!(email.as_deref(), Some("somebody@production!"));
}

/// Whoever has lost the execution must not run a script that another process has run by then, and
/// that the server has forgotten again.
#[tokio::test(start_paused = true)]
async fn who_may_not_change_anything_runs_no_script() {
    let simulation = staging().await;
    let (_, recording) = simulation.record(masking()).await;
    let of = |resource: &str| {
        let mut successes = recording.successes.iter();
        successes.find(|one| one.resource == resource).unwrap()
    };
    let simulation = of("${Configure}").world.thaw().await;
    let prepare = of("${Prepare}");
    let email = || simulation.get("staging-trapheus-new", "email");
    let denied = simulation.tasks().permitted_by(Permit::new(|| {
        ready(Err("another process has taken over".to_owned()))
    }));
    let refused = denied.run(&prepare.resource, prepare.input.clone()).await;
    assert_eq!(refused.unwrap_err().name, ErrorName::Unavailable);
    assert_eq!(email().as_deref(), Some("somebody@production"));
    let allowed = simulation.tasks();
    let made = allowed.run(&prepare.resource, prepare.input.clone()).await;
    made.expect("it may be prepared");
    assert_eq!(email().as_deref(), Some("masked"));
}

/// SQL that outlives its process would begin anew, again and again.
#[tokio::test(start_paused = true)]
async fn sql_that_outlives_its_process_fails_in_time() {
    let simulation = staging().await;
    let (_, recording) = simulation.record(masking()).await;
    let of = |resource: &str| {
        let mut successes = recording.successes.iter();
        successes.find(|one| one.resource == resource).unwrap()
    };
    let simulation = of("${Configure}").world.thaw().await;
    let hurried = simulation.tasks().within(Duration::from_millis(1));
    let prepare = of("${Prepare}");
    let cut_off = hurried.run(&prepare.resource, prepare.input.clone()).await;
    assert_eq!(cut_off.unwrap_err().name, ErrorName::PreparationFailed);
}

#[tokio::test(start_paused = true)]
async fn scripts_that_say_nothing_or_end_the_transaction_are_refused() {
    let simulation = staging().await;
    let before = simulation.world().await;
    for (prepare, verify) in [
        (MASK, "-- everything is fine"),
        ("/* later */ ;", ""),
        ("END", ""),
    ] {
        let run = simulation.run(input(json!({"sql": prepare}), verify)).await;
        assert_eq!(run.summary.exit_code(), 2, "{prepare}, {verify}");
        assert_eq!(simulation.world().await, before, "{prepare}, {verify}");
    }
}
