//! Tells random stories and looks whether anything happens in them that must never happen.
//!
//! ```text
//! cargo xtask simulate --seeds 1000 [--from 1] [--jobs 2]
//! cargo xtask simulate --seed 7 --trace
//! ```
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::process::ExitCode;
use std::time::Instant;

use trapheus_testkit::story::{read_out, tell_all};

const USAGE: &str = "usage: simulate --seeds N [--from S] [--jobs J] | --seed S --trace";

/// What is asked for.
#[derive(Default)]
struct Arguments {
    seeds: Option<u64>,
    from: Option<u64>,
    jobs: Option<u64>,
    seed: Option<u64>,
    is_traced: bool,
}

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Some(Arguments {
            seed: Some(seed),
            is_traced: true,
            ..
        }) => tell_one(seed),
        Some(Arguments {
            seed: Some(seed), ..
        }) => tell_many(seed, 1, 1),
        Some(Arguments {
            seeds: Some(seeds),
            from,
            jobs,
            ..
        }) => {
            let cores =
                || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
            tell_many(from.unwrap_or(1), seeds, jobs.unwrap_or_else(cores))
        }
        Some(_) | None => {
            println!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

impl Arguments {
    fn parse(mut given: impl Iterator<Item = String>) -> Option<Self> {
        let mut arguments = Self::default();
        while let Some(flag) = given.next() {
            if flag == "--trace" {
                arguments.is_traced = true;
                continue;
            }
            let number = Some(given.next()?.parse().ok()?);
            match flag.as_str() {
                "--seeds" => arguments.seeds = number,
                "--from" => arguments.from = number,
                "--jobs" => arguments.jobs = number,
                "--seed" => arguments.seed = number,
                _ => return None,
            }
        }
        Some(arguments)
    }
}

fn tell_one(seed: u64) -> ExitCode {
    let (text, ending) = read_out(seed);
    print!("{text}");
    for violation in &ending.violations {
        println!("VIOLATION: {violation}");
    }
    exit(ending.violations.is_empty())
}

fn tell_many(from: u64, seeds: u64, jobs: u64) -> ExitCode {
    let begun = Instant::now();
    let report = tell_all(from..from.saturating_add(seeds), jobs as usize);
    let seconds = begun.elapsed().as_secs_f64();
    let per_second = report.counts.executions() as f64 / seconds / jobs as f64;
    print!("{report}");
    println!("| executions per second and thread | {per_second:.1} |");
    println!("| seeds | {from} to {} |", from + seeds - 1);
    println!("| took | {seconds:.1} s on {jobs} threads |");
    exit(report.failed.is_empty())
}

fn exit(is_good: bool) -> ExitCode {
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
