//! Logs: one line of JSON for each event, on standard output, which Lambda gives to CloudWatch.

use std::error::Error;
use std::fmt::Debug;
use std::io::{Write, stdout};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Begins to write what the filter lets through; without one, errors only.
pub(crate) fn to_standard_output(filter: Option<Targets>) {
    let filter = filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::ERROR));
    tracing_subscriber::registry()
        .with(Lines.with_filter(filter))
        .init();
}

/// An error with its sources, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut line = Line::default();
        line.0
            .insert("level".to_owned(), json!(metadata.level().as_str()));
        line.0.insert("target".to_owned(), json!(metadata.target()));
        event.record(&mut line);
        // Where nothing can be written, nobody can be told of it either.
        let _written = writeln!(stdout().lock(), "{}", Value::Object(line.0));
    }
}

#[derive(Default)]
struct Line(Map<String, Value>);

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0
            .insert(field.name().to_owned(), json!(format!("{value:?}")));
    }
}
