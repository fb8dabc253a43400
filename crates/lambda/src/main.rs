//! The functions of the deployed state machine: one bootstrap, a handler per task.
//!
//! A function's `Handler` is the name of its task, as `workflow/restore.asl.json` has it. Its event
//! is what the definition's `Parameters` give, its answer the task's result, and what it fails with
//! is the error that the definition's Retry and Catch match. What runs is the very code of the
//! embedded engine; what is different is where things are kept and who is asked for leave:
//!
//! | of the embedded engine | here |
//! |---|---|
//! | the lease on the execution | DescribeExecution before each change: `executions.rs` |
//! | blueprints in `TRAPHEUS_HOME` | in S3: `blueprints.rs` |
//! | a process that waits | none: what is not so yet is an error, which Step Functions retries |
//!
//! Settings are the environment of the function, which the template writes: `settings.rs`.

mod blueprints;
mod events;
mod executions;
mod function;
mod log;
mod runtime;
mod s3;
mod secrets;
mod settings;

use std::env;
use std::process::ExitCode;

use function::{Function, misconfigured};
use runtime::{Runtime, RuntimeError};
use settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let environment = |name: &str| env::var(name).ok();
    let settings = Settings::of_environment(environment);
    log::to_standard_output(settings.as_ref().ok().map(|settings| settings.log.clone()));
    let function = match settings {
        Ok(settings) => Function::new(settings).await,
        Err(error) => Err(error.into()),
    };
    let ended = match Runtime::of_environment(environment) {
        Ok(runtime) => serve(&runtime, function).await,
        Err(error) => error,
    };
    tracing::error!(error = %ended, "the runtime has failed");
    ExitCode::FAILURE
}

/// Answers events until Lambda gives no more.
async fn serve(
    runtime: &Runtime,
    function: Result<Function, Box<dyn std::error::Error>>,
) -> RuntimeError {
    loop {
        let event = match runtime.next().await {
            Ok(event) => event,
            Err(error) => return error,
        };
        let request = event.request.clone();
        let made = match &function {
            Ok(function) => function.call(event).await,
            // Whoever looks at the execution learns why, instead of that a process has ended.
            Err(error) => Err(misconfigured(error.as_ref())),
        };
        if let Err(error) = runtime.answer(&request, made).await {
            return error;
        }
    }
}
