//! Standard output is data, standard error is everything else: this file decides.

use std::io::{self, IsTerminal, Write};

use console::style;
use serde_json::Value;

use crate::arguments::Output;
use crate::error::Failure;

/// Where a command writes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Printer {
    output: Output,
    quiet: bool,
    form: Form,
}

/// How a document of JSON is written.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Indented, for eyes.
    Indented,
    /// On one line, as all the others of a stream.
    Line,
}

impl Printer {
    pub(crate) fn new(output: Output, quiet: bool) -> Self {
        Self {
            output,
            quiet,
            form: Form::Indented,
        }
    }

    /// For a stream of events, in which the result is a line as well.
    pub(crate) fn for_events(self, wanted: bool) -> Self {
        let form = if wanted { Form::Line } else { Form::Indented };
        Self { form, ..self }
    }

    /// Whether a machine reads standard output.
    pub(crate) fn is_json(self) -> bool {
        matches!(self.output, Output::Json)
    }

    /// Whether a person asked for nothing but the result.
    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether progress may be drawn: a person watches, and did not ask for quiet.
    pub(crate) fn draws(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// The command's result: the document where JSON is asked for, the text otherwise.
    pub(crate) fn result(self, document: &Value, text: &str) {
        if self.is_json() {
            match self.form {
                Form::Indented => write(&mut io::stdout(), &format!("{document:#}")),
                Form::Line => self.json_line(document),
            }
        } else {
            self.data(text);
        }
    }

    /// One line of JSON, for streams of events.
    pub(crate) fn json_line(self, document: &Value) {
        write(&mut io::stdout(), &document.to_string());
    }

    /// A piece of data in text form.
    pub(crate) fn data(self, text: &str) {
        if !text.is_empty() {
            write(&mut io::stdout(), text.trim_end_matches('\n'));
        }
    }

    /// Progress and messages for a person.
    pub(crate) fn say(self, message: &str) {
        if !self.quiet {
            write(&mut io::stderr(), message);
        }
    }

    /// What a person could do next.
    pub(crate) fn hint(self, hint: &str) {
        self.say(&format!("{} {hint}", style("hint:").cyan().for_stderr()));
    }

    /// An error; shown even when quiet is asked for. With JSON also as a document, so that a
    /// program that reads standard output finds out as well.
    pub(crate) fn failure(self, failure: &Failure) {
        let mut stderr = io::stderr();
        write(
            &mut stderr,
            &format!(
                "{} {}",
                style("error:").red().bold().for_stderr(),
                failure.message
            ),
        );
        if let Some(hint) = &failure.hint {
            write(
                &mut stderr,
                &format!("\n{} {hint}", style("hint:").cyan().for_stderr()),
            );
        }
        if self.is_json() {
            let document = serde_json::json!({
                "error": { "message": failure.message, "hint": failure.hint },
                "exitCode": failure.exit as u8,
            });
            write(&mut io::stdout(), &format!("{document:#}"));
        }
    }
}

/// A closed pipe (`trapheus … | head`) is the reader's wish, not an error.
fn write(stream: &mut dyn Write, text: &str) {
    let _closed = writeln!(stream, "{text}").and_then(|()| stream.flush());
}
