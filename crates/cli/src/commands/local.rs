//! `trapheus local`: the RDS API on this machine, with real databases behind it.

use camino::Utf8Path;
use serde_json::json;
use trapheus_local::server::{self, Down, Running, Server, ServerOptions};

use crate::arguments::{Durations, Local};
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::printer::Printer;

pub(crate) async fn run(command: Local, printer: Printer) -> Result<Exit, Failure> {
    match command {
        Local::Up {
            data_dir,
            listen,
            durations,
            time_scale,
        } => {
            let options = ServerOptions {
                data_directory: data_dir,
                listen,
                durations: match durations {
                    Durations::Instant => trapheus_local::Durations::Instant,
                    Durations::Aws => trapheus_local::Durations::Aws,
                },
                time_scale,
            };
            up(options, printer).await
        }
        Local::Status { data_dir } => status(&data_dir, printer),
        Local::Down { data_dir } => down(&data_dir, printer).await,
    }
}

/// Serves until Ctrl-C, a termination signal or `local down`.
async fn up(options: ServerOptions, printer: Printer) -> Result<Exit, Failure> {
    let data_directory = options.data_directory.clone();
    let server = Server::start(options).await.context("start local RDS")?;
    let running = server.running().clone();
    if printer.is_json() {
        // One line, so that a program can read it while the server goes on.
        printer.json_line(&document(&data_directory, Some(&running)));
    } else {
        printer.data(&format!("local RDS answers at {}", running.endpoint_url()));
        printer.say(&format!(
            "\nFor the AWS CLI, the SDKs and trapheus:\n{}\n",
            exports(&running)
        ));
        for missing in server::missing_servers().await {
            printer.say(&missing);
        }
        printer.say("Ctrl-C or `trapheus local down` stops it; the data stays");
    }
    server.run().await.context("serve")?;
    Ok(Exit::Succeeded)
}

fn status(data_directory: &Utf8Path, printer: Printer) -> Result<Exit, Failure> {
    let running = server::status(data_directory).context("look at local RDS")?;
    let text = match &running {
        Some(running) => format!(
            "local RDS answers at {} (process {})\n{}",
            running.endpoint_url(),
            running.process_id,
            exports(running)
        ),
        None => format!("local RDS does not run on {data_directory}"),
    };
    printer.result(&document(data_directory, running.as_ref()), &text);
    Ok(if running.is_some() {
        Exit::Succeeded
    } else {
        Exit::Failed
    })
}

async fn down(data_directory: &Utf8Path, printer: Printer) -> Result<Exit, Failure> {
    let outcome = server::down(data_directory)
        .await
        .context("stop local RDS")?;
    let text = match outcome {
        Down::Stopped => "local RDS has stopped; the data stays",
        Down::NotRunning => "local RDS was not running",
    };
    printer.result(&document(data_directory, None), text);
    Ok(Exit::Succeeded)
}

fn document(data_directory: &Utf8Path, running: Option<&Running>) -> serde_json::Value {
    json!({
        "running": running.is_some(),
        "endpointUrl": running.map(Running::endpoint_url),
        "processId": running.map(|running| running.process_id),
        "dataDirectory": data_directory,
    })
}

/// What a shell has to know to use it. Any credentials do.
fn exports(running: &Running) -> String {
    format!(
        "  export AWS_ENDPOINT_URL={} AWS_REGION=us-east-1 \\\n         \
         AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local",
        running.endpoint_url()
    )
}
