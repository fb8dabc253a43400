//! Measures how long a client can't work while its database is restored: `swap` against
//! `in_place`, on databases of several sizes, in one run.
//!
//! ```text
//! cargo xtask bench outage --mib 100,2048 --rounds 5
//! ```
//! Everything is real: the binary, local RDS as a process of its own, PostgreSQL, and a client
//! that writes and reads through the endpoint without a pause worth mentioning. The rounds of the
//! two strategies alternate, and every one begins with nothing left to write to the disk. The
//! directory for temporary files needs room for about five times the largest size.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

mod client;
mod database;

#[path = "../../tests/common"]
mod common {
    pub(crate) mod account;
    pub(crate) mod background;
    pub(crate) mod local;
    pub(crate) mod trapheus;
}

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use client::Client;
use common::local::LocalRds;
use common::trapheus::trapheus;
use database::{Database, IDENTIFIER};

type Outcome<T> = Result<T, Box<dyn Error>>;

const STRATEGIES: [&str; 2] = ["swap", "in_place"];
/// How long the client works undisturbed before and after a restore.
const CALM: Duration = Duration::from_secs(1);

/// What the command line asks for.
struct Arguments {
    sizes_mib: Vec<u64>,
    rounds: usize,
}

/// The rounds of one strategy on one database.
struct Measured {
    strategy: &'static str,
    mib: u64,
    rounds: Vec<Round>,
}

/// One restore as the client and the clock saw it, in seconds.
struct Round {
    /// From the last answer before the first failure to the next answer.
    outage: f64,
    /// The longest wait for an answer that came.
    wait: f64,
    restore: f64,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments = arguments()?;
    println!("| database | strategy | client's outage | rounds | longest other wait | restore |");
    println!("|---|---|---|---|---|---|");
    let mut measured = Vec::new();
    for mib in arguments.sizes_mib {
        measured.extend(measure(mib, arguments.rounds).await?);
    }
    println!();
    for strategy in STRATEGIES {
        print_growth(strategy, &measured);
    }
    Ok(())
}

fn arguments() -> Outcome<Arguments> {
    let mut arguments = Arguments {
        sizes_mib: vec![100, 2048],
        rounds: 5,
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        if name == "--bench" {
            continue; // cargo says so to every benchmark
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--mib" => {
                arguments.sizes_mib = value.split(',').map(str::parse).collect::<Result<_, _>>()?
            }
            "--rounds" => arguments.rounds = value.parse()?,
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    Ok(arguments)
}

/// Measures both strategies on one database of so many MiB.
async fn measure(mib: u64, rounds: usize) -> Outcome<[Measured; 2]> {
    let local = LocalRds::up();
    let home = tempfile::tempdir()?;
    let trapheus = |words: &[&str]| run(trapheus(home.path()).args(words), &local.endpoint_url);
    let database = Database::create(&local.endpoint_url).await?;
    let mib = database.fill(mib).await?;
    trapheus(&["snapshot", IDENTIFIER])?;
    let mut measured = STRATEGIES.map(|strategy| Measured {
        strategy,
        mib,
        rounds: Vec::new(),
    });
    for _ in 0..rounds {
        for Measured {
            strategy, rounds, ..
        } in &mut measured
        {
            run(&mut Command::new("sync"), "")?;
            let client = Client::start(database.options());
            tokio::time::sleep(CALM).await;
            let begun = Instant::now();
            tokio::task::block_in_place(|| {
                trapheus(&["restore", IDENTIFIER, "--strategy", strategy])
            })?;
            let restore = begun.elapsed().as_secs_f64();
            tokio::time::sleep(CALM).await;
            let experience = client.stop().await?;
            rounds.push(Round {
                outage: experience.outage.as_secs_f64(),
                wait: experience.wait.as_secs_f64(),
                restore,
            });
        }
    }
    local.down();
    for line in &measured {
        println!("{}", line.row());
    }
    Ok(measured)
}

/// Runs a program to its end, which must be a good one.
fn run(command: &mut Command, endpoint_url: &str) -> Outcome<Value> {
    let output = command
        .env("AWS_ENDPOINT_URL", endpoint_url)
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        let messages = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?} ended with {}\n{messages}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

impl Measured {
    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    fn outage(&self) -> f64 {
        self.median(|round| round.outage)
    }

    fn row(&self) -> String {
        let rounds: Vec<String> = self
            .rounds
            .iter()
            .map(|round| format!("{:.2}", round.outage))
            .collect();
        format!(
            "| {} MiB | `{}` | {:.2} s | {} | {:.2} s | {:.1} s |",
            self.mib,
            self.strategy,
            self.outage(),
            rounds.join(" "),
            self.median(|round| round.wait),
            self.median(|round| round.restore),
        )
    }
}

/// How much longer the outage of the largest database is than that of the smallest.
fn print_growth(strategy: &str, measured: &[Measured]) {
    let of_strategy = || measured.iter().filter(|line| line.strategy == strategy);
    let smallest = of_strategy().min_by_key(|line| line.mib);
    let largest = of_strategy().max_by_key(|line| line.mib);
    if let (Some(smallest), Some(largest)) = (smallest, largest) {
        println!(
            "{strategy}: from {} to {} MiB the outage grows {:.2} times",
            smallest.mib,
            largest.mib,
            largest.outage() / smallest.outage()
        );
    }
}
