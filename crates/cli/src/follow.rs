//! Follows an execution that runs in this process to its end: draws it, stops it on Ctrl-C,
//! prints its result.

pub(crate) mod lines;
mod live;

use serde_json::json;
use trapheus_asl::HistoryEvent;
use trapheus_engine::{Engine, ExecutionId, ExecutionStatus, Handle, Outcome};

use crate::commands::result;
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::story::Story;

/// What the user wants to see, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    events: bool,
    wait: bool,
}

impl View {
    /// `events`: one event a line as JSON. `wait`: stay until a kept original is gone.
    pub(crate) fn of(events: bool, wait: bool) -> Self {
        Self { events, wait }
    }
}

/// The state in which the restored database serves already and only the original waits.
const KEEPING: &str = "KeepOriginal";

/// Follows until the execution ends, or keeps its original, or the user interrupts.
pub(crate) async fn to_the_end(
    engine: &Engine,
    handle: &Handle,
    view: View,
    printer: Printer,
) -> Result<Exit, Failure> {
    let printer = printer.for_events(view.events);
    let mut events = handle.events().context("follow the execution")?;
    let mut drawing = Drawing::new(handle.id(), view, printer);
    loop {
        tokio::select! {
            event = events.next() => match event.context("follow the execution")? {
                Some(event) => {
                    drawing.tell(&event);
                    if !view.wait && keeps_original(&event) {
                        handle.stop().await.context("leave the execution")?;
                        break;
                    }
                }
                None => break,
            },
            _interrupted = tokio::signal::ctrl_c() => {
                drawing.clear();
                return interrupted(handle, printer).await;
            }
        }
    }
    drawing.clear();
    handle
        .wait()
        .await
        .context("run the execution to its end")?;
    result::print(engine, handle.id(), printer)
}

fn keeps_original(event: &HistoryEvent) -> bool {
    event.kind.is_state_entered() && event.state.as_deref() == Some(KEEPING)
}

/// Ctrl-C: nothing is lost, and the user is told how to go on.
async fn interrupted(handle: &Handle, printer: Printer) -> Result<Exit, Failure> {
    let outcome = handle.stop().await.context("stop the execution")?;
    let id = handle.id();
    if let Outcome::Ended(_) = outcome {
        printer.say(&format!(
            "{id} had just ended: `trapheus executions show {id}`"
        ));
    } else {
        printer.say(&format!("stopped {id}"));
        printer.hint(&format!(
            "`trapheus executions resume {id}` goes on, `trapheus rollback {id}` undoes it"
        ));
    }
    if printer.is_json() {
        let status = json!(ExecutionStatus::Stopped);
        printer.result(
            &json!({ "executionId": id.to_string(), "status": status }),
            "",
        );
    }
    Ok(Exit::Stopped)
}

/// Follows an execution that another process may run, to its end.
pub(crate) async fn from_outside(
    engine: &Engine,
    id: &ExecutionId,
    events_wanted: bool,
    printer: Printer,
) -> Result<(), Failure> {
    let mut events = engine.follow(id).context("follow the execution")?;
    let mut drawing = Drawing::new(id, View::of(events_wanted, true), printer);
    loop {
        tokio::select! {
            event = events.next() => match event.context("follow the execution")? {
                Some(event) => drawing.tell(&event),
                None => break,
            },
            _interrupted = tokio::signal::ctrl_c() => break,
        }
    }
    drawing.clear();
    Ok(())
}

/// How the story is shown while it goes on.
enum Drawing {
    /// Nobody watches, or the result alone is wanted.
    Nothing,
    /// A program reads the events.
    Events(Printer),
    /// Standard error is not a terminal: a line for each thing that happened.
    Lines(Story, Printer),
    /// A terminal.
    Live(Box<Story>, live::Live),
}

impl Drawing {
    fn new(id: &ExecutionId, view: View, printer: Printer) -> Self {
        if view.events && printer.is_json() {
            Self::Events(printer)
        } else if printer.is_quiet() {
            Self::Nothing
        } else if printer.draws() {
            Self::Live(Box::default(), live::Live::new(id))
        } else {
            printer.say(&format!("execution {id}"));
            Self::Lines(Story::default(), printer)
        }
    }

    fn tell(&mut self, event: &HistoryEvent) {
        match self {
            Self::Nothing => {}
            Self::Events(printer) => printer.json_line(&json!(event)),
            Self::Lines(story, printer) => {
                if let Some(line) = story
                    .tell(event)
                    .and_then(|change| lines::line(story, change))
                {
                    printer.say(&line);
                }
            }
            Self::Live(story, live) => {
                if let Some(change) = story.tell(event) {
                    live.draw(story, change, event.at);
                }
            }
        }
    }

    fn clear(&mut self) {
        if let Self::Live(_, live) = self {
            live.clear();
        }
    }
}
