//! Follows an execution as far as its engine does: draws it, leaves it on Ctrl-C, prints its
//! result.

pub(crate) mod lines;
mod live;

use serde_json::json;
use trapheus_asl::HistoryEvent;

use crate::commands::result;
use crate::engines::{Engine, Follower, Left};
use crate::error::Failure;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::story::Story;

/// Follows until there is nothing more to wait for, or the user interrupts; prints the result.
/// With `events`, one event a line as JSON comes before it.
pub(crate) async fn to_the_end(
    engine: &dyn Engine,
    mut follower: Box<dyn Follower>,
    events: bool,
    printer: Printer,
) -> Result<Exit, Failure> {
    let printer = printer.for_events(events);
    let mut drawing = Drawing::new(follower.id(), events, printer);
    loop {
        tokio::select! {
            event = follower.next() => match event? {
                Some(event) => drawing.tell(&event),
                None => break,
            },
            _interrupted = tokio::signal::ctrl_c() => {
                drawing.clear();
                return interrupted(engine, follower, printer).await;
            }
        }
    }
    drawing.clear();
    result::print(engine, follower.id(), printer).await
}

/// Ctrl-C: nothing is lost, and the user is told how to go on.
async fn interrupted(
    engine: &dyn Engine,
    mut follower: Box<dyn Follower>,
    printer: Printer,
) -> Result<Exit, Failure> {
    let left = follower.leave().await?;
    let id = follower.id();
    match left {
        Left::Ended => {
            printer.say(&format!(
                "{id} had just ended: `trapheus executions show {id}`"
            ));
        }
        Left::Stopped => {
            printer.say(&format!("stopped {id}"));
            printer.hint(&format!(
                "`trapheus executions resume {id}` goes on, `trapheus rollback {id}` undoes it"
            ));
        }
        Left::Running => {
            printer.say(&format!("{id} goes on"));
            printer.hint(&format!(
                "`trapheus executions watch {id}` follows it, `trapheus executions stop {id}` \
                 stops it{}",
                if engine.goes_on_by_itself() {
                    " and rolls it back"
                } else {
                    ""
                }
            ));
        }
    }
    if printer.is_json() {
        let status = match left {
            Left::Running => "RUNNING",
            Left::Ended | Left::Stopped => "STOPPED",
        };
        printer.result(&json!({ "executionId": id, "status": status }), "");
    }
    Ok(Exit::Stopped)
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
    fn new(id: &str, events: bool, printer: Printer) -> Self {
        if events && printer.is_json() {
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
