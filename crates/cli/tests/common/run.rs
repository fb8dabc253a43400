//! Runs of the real binary, to their end.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::world::World;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// What a process left behind.
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("trapheus writes UTF-8");
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Standard output as the one document of JSON that it has to be.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("standard output is no JSON: {error}\n{self:#?}"))
    }

    /// The document of a run that ended with this exit code.
    pub(crate) fn with_code(&self, code: i32) -> Value {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self.document()
    }
}

impl World {
    /// Runs `trapheus` with nothing on its standard input.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with(arguments, "").await
    }

    /// Runs `trapheus` with this on its standard input.
    pub(crate) async fn run_with(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .trapheus(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("trapheus starts");
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        // A command that doesn't read its input may have ended already.
        let _closed = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await;
        Ended::of(output.expect("trapheus can be waited for"))
    }
}
