//! The commands, one file each, and the way into them.

mod completions;
mod doctor;
mod executions;
mod input;
mod local;
mod plan;
pub(crate) mod result;
mod rollback;
mod start;

use crate::arguments::{Arguments, Command};
use crate::demo;
use crate::error::{Context, Failure, chain};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::settings::Settings;

/// Runs the command to its end and says how it ended.
pub(crate) fn run(arguments: Arguments) -> Exit {
    let printer = Printer::new(arguments.global.output, arguments.global.quiet);
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the asynchronous runtime")
        .and_then(|runtime| runtime.block_on(dispatch(arguments, printer)));
    outcome.unwrap_or_else(|failure| {
        printer.failure(&failure);
        failure.exit
    })
}

async fn dispatch(arguments: Arguments, printer: Printer) -> Result<Exit, Failure> {
    let settings = Settings::load(&arguments.global)?;
    match arguments.command {
        Command::Demo(options) => demo::run(&options, &settings, printer).await,
        Command::Plan(options) => plan::run(&options, &settings, printer).await,
        Command::Restore(options) => start::restore(&options, &settings, printer).await,
        Command::Refresh(options) => start::refresh(&options, &settings, printer).await,
        Command::Snapshot(options) => start::snapshot(&options, &settings, printer).await,
        Command::Start(options) => start::input(&options, &settings, printer).await,
        Command::Executions(options) => executions::run(options, &settings, printer).await,
        Command::Rollback(options) => rollback::run(&options, &settings, printer).await,
        Command::Local(command) => local::run(command, printer).await,
        Command::Doctor(options) => doctor::run(&options, &settings, printer).await,
        Command::Completions { shell } => Ok(completions::run(shell)),
    }
}

/// An input document that is refused, with what to do.
fn input_refused(error: &trapheus_restore::InputError) -> Failure {
    Failure::refused(format!("the input is refused: {}", chain(error)))
}
