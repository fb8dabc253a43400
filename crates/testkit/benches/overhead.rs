//! Measures what orchestration adds to the time that RDS itself takes, and what it asks of RDS.
//!
//! ```text
//! cargo xtask bench overhead
//! ```
//! Whole restores in virtual time: the engine, the tasks and the door are the real ones, and
//! local RDS takes as long as its table says that AWS does. The figures are exact and the same in
//! every run.
#![expect(
    clippy::print_stdout,
    reason = "the tables are what the program is for"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use trapheus_asl::HistoryKind;
use trapheus_testkit::{Run, Simulation, TimeSpent};

const STRATEGIES: [&str; 2] = ["swap", "in_place"];
/// Storage in GiB: restores of 10 minutes, of 30 minutes with all that follows, of 30 minutes,
/// and of 2 hours.
const SIZES_GIB: [i32; 4] = [240, 780, 1440, 6840];
/// The size whose restore takes half an hour with all that follows.
const HALF_AN_HOUR_GIB: i32 = 780;
const FLEETS: [usize; 3] = [1, 10, 100];

/// A restore and where its time went.
struct Measured {
    strategy: &'static str,
    storage_gib: i32,
    run: Run,
    time: TimeSpent,
}

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let mut measured = Vec::new();
        for storage_gib in SIZES_GIB {
            for strategy in STRATEGIES {
                measured.push(measure(strategy, storage_gib).await);
            }
        }
        print_overhead(&measured);
        measured.retain(|measured| measured.storage_gib == HALF_AN_HOUR_GIB);
        print_states(&measured);
        print_calls(&measured);
        print_costs(&measured);
        print_fleets().await;
    });
    Ok(())
}

async fn measure(strategy: &'static str, storage_gib: i32) -> Measured {
    let simulation = Simulation::with_aws_durations(1).await;
    simulation
        .create_databases_of(storage_gib, &["orders"])
        .await;
    simulation
        .create_snapshot("orders", "orders-snapshot")
        .await;
    let run = simulation.run(input("orders", strategy)).await;
    assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    Measured {
        strategy,
        storage_gib,
        time: TimeSpent::of(&run, storage_gib),
        run,
    }
}

fn input(identifier: &str, strategy: &str) -> Value {
    json!({"identifier": identifier, "task": "db_restore", "strategy": strategy})
}

fn calls(run: &Run) -> u64 {
    run.summary.api_calls.values().sum()
}

fn print_overhead(measured: &[Measured]) {
    println!(
        "| storage | strategy | RDS itself | execution | overhead | name down | calls | states entered | tasks started |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for Measured {
        strategy,
        storage_gib,
        run,
        time,
    } in measured
    {
        let started =
            |event: &&trapheus_asl::HistoryEvent| event.kind == HistoryKind::TaskScheduled;
        println!(
            "| {storage_gib} GiB | `{strategy}` | {:.0} s | {:.0} s | {:.2} % | {:.0} s | {} | {} | {} |",
            time.rds_seconds(),
            time.total_seconds,
            time.overhead() * 100.0,
            run.summary.outage_seconds.unwrap_or(f64::NAN),
            calls(run),
            run.states().len(),
            run.history.iter().filter(started).count(),
        );
    }
}

fn print_states(measured: &[Measured]) {
    println!("\n| strategy | state | took | of which RDS itself |");
    println!("|---|---|---|---|");
    for Measured { strategy, time, .. } in measured {
        for state in &time.states {
            println!(
                "| `{strategy}` | {} | {:.1} s | {:.1} s |",
                state.state, state.seconds, state.rds_seconds
            );
        }
    }
}

fn print_calls(measured: &[Measured]) {
    let operations: BTreeSet<&String> = measured
        .iter()
        .flat_map(|measured| measured.run.summary.api_calls.keys())
        .collect();
    println!("\n| call | `swap` | `in_place` |");
    println!("|---|---|---|");
    for operation in operations {
        let counts: Vec<String> = measured
            .iter()
            .map(|measured| {
                let calls = &measured.run.summary.api_calls;
                calls.get(operation).copied().unwrap_or(0).to_string()
            })
            .collect();
        println!("| {operation} | {} |", counts.join(" | "));
    }
}

/// What Step Functions would bill, and count towards the limit of a history.
fn print_costs(measured: &[Measured]) {
    println!(
        "\n| strategy | states entered | tasks run again | state transitions | history events |"
    );
    println!("|---|---|---|---|---|");
    for Measured { strategy, run, .. } in measured {
        let (entered, transitions) = (run.states().len(), run.state_transitions());
        println!(
            "| `{strategy}` | {entered} | {} | {transitions} | {} |",
            transitions - entered,
            run.events_in_step_functions()
        );
    }
}

async fn print_fleets() {
    println!(
        "\n| restores in one process | begun | calls per restore | of them DescribeDBInstances | the slowest took |"
    );
    println!("|---|---|---|---|---|");
    for size in FLEETS {
        for (apart, begun) in [(0, "at once"), (10, "10 s apart")] {
            let runs = fleet(size, Duration::from_secs(apart)).await;
            let looks = |run: &Run| run.summary.api_calls.get("DescribeDBInstances").copied();
            let slowest = runs
                .iter()
                .map(|run| TimeSpent::of(run, SIZES_GIB[0]).total_seconds)
                .fold(0.0, f64::max);
            println!(
                "| {size} | {begun} | {} | {} | {slowest:.0} s |",
                runs.iter().map(calls).sum::<u64>() / runs.len() as u64,
                runs.iter().filter_map(looks).sum::<u64>() / runs.len() as u64,
            );
        }
    }
}

/// Restores of as many databases, all of the smallest size, in one process.
async fn fleet(size: usize, apart: Duration) -> Vec<Run> {
    let simulation = Simulation::with_aws_durations(1).await;
    let names: Vec<String> = (0..size).map(|number| format!("orders-{number}")).collect();
    let snapshots: Vec<String> = names
        .iter()
        .map(|name| format!("{name}-snapshot"))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let snapshots: Vec<(&str, &str)> = names
        .iter()
        .copied()
        .zip(snapshots.iter().map(String::as_str))
        .collect();
    simulation.create_databases_of(SIZES_GIB[0], &names).await;
    simulation.create_snapshots(&snapshots).await;
    let inputs = names.iter().map(|name| input(name, "swap")).collect();
    let runs = simulation.run_fleet(inputs, apart).await;
    for run in &runs {
        assert_eq!(run.summary.exit_code(), 0, "{:#?}", run.summary);
    }
    runs
}
