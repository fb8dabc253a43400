//! The project's own commands: `cargo xtask demo | test | verify | simulate | fuzz | bench`.
//!
//! Each command checks for what it needs and installs it where it may, so that a
//! newcomer needs nothing but a Rust toolchain. What each one does is in its own file.

mod bench;
mod bootstrap;
mod demo;
mod fuzz;
mod mutants;
mod prerequisites;
mod process;
mod simulate;
mod test;
mod verify;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  demo [ARGS...]   install what is missing, then run `trapheus demo`
  test [ARGS...]   everything CI runs: verify, then all tests (ARGS go to `cargo test`)
  verify           format, lints, documentation, licences of the dependencies
  simulate ARGS    random restores in virtual time: --seeds N [--from S] [--jobs J],
                   or one of them word for word: --seed S --trace
  mutants [NAME..] whether the tests catch the deliberate bugs in mutants/
  fuzz [TARGET] [--minutes N]
                   documents made by chance, for everything that reads what others write
  bootstrap [ARGS] the program of the Lambda functions, packed: target/lambda/bootstrap.zip,
                   with --arm64 or --x86-64 for another machine than this one
  bench NAME       measure: outage | snapshot | overhead | lambda | all
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match command.as_str() {
        "demo" => demo::run(&rest),
        "test" => test::run(&rest),
        "verify" => verify::run(),
        "fuzz" => fuzz::run(&rest),
        "simulate" => simulate::run(&rest),
        "mutants" => mutants::run(&rest),
        "bench" => bench::run(&rest),
        "bootstrap" => bootstrap::run_for(&rest),
        "" | "help" | "-h" | "--help" => {
            process::say(USAGE);
            return ExitCode::SUCCESS;
        }
        unknown => Err(format!("there is no command {unknown:?}\n\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            process::say(&format!("xtask: {message}"));
            ExitCode::FAILURE
        }
    }
}
