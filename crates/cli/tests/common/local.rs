//! Local RDS with real PostgreSQL, started by the real binary, one per test.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::background::Background;
use super::trapheus::trapheus;

/// A running local RDS. Dropped, it takes its databases along.
pub(crate) struct LocalRds {
    server: Option<Background>,
    directory: TempDir,
    /// Where its API answers.
    pub(crate) endpoint_url: String,
}

impl LocalRds {
    /// Starts it in a directory of its own, on a free port.
    pub(crate) fn up() -> Self {
        let directory = TempDir::new().expect("there is room for a temporary directory");
        // Its servers may run as another user than the test does.
        fs::set_permissions(directory.path(), Permissions::from_mode(0o755))
            .expect("one's own directory can be opened to others");
        let mut command = trapheus(directory.path());
        command.args(["local", "up", "--listen", "127.0.0.1:0", "--data-dir"]);
        command.arg(data(&directory));
        let (server, ready) = Background::start(&mut command, &directory.path().join("local.log"));
        let endpoint_url = ready["endpointUrl"]
            .as_str()
            .expect("it says where it answers");
        Self {
            server: Some(server),
            endpoint_url: endpoint_url.to_owned(),
            directory,
        }
    }

    /// Stops it as a user does, and makes sure that nothing runs on.
    pub(crate) fn down(mut self) {
        let done = self.ask_to_stop().output().expect("trapheus starts");
        assert!(
            done.status.success(),
            "`local down` ended with {}\n{}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
        self.server.take().expect("it is up").wait();
        let left = postmasters(&data(&self.directory));
        assert!(
            left.is_empty(),
            "still running after `local down`: {left:?}"
        );
    }

    fn ask_to_stop(&self) -> Command {
        let mut command = trapheus(self.directory.path());
        command
            .args(["local", "down", "--data-dir"])
            .arg(data(&self.directory));
        command
    }
}

impl Drop for LocalRds {
    fn drop(&mut self) {
        if self.server.is_some() {
            let _asked = self.ask_to_stop().output();
        }
        // What it could not stop itself, a failed test stops here.
        for process in postmasters(&data(&self.directory)) {
            let _gone_already = Command::new("kill").args(["-QUIT", &process]).status();
        }
    }
}

fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

/// The processes of all PostgreSQL servers that run below a directory.
fn postmasters(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(postmasters(&entry.path()));
        } else if entry.file_name() == "postmaster.pid" {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let process = text.lines().next().unwrap_or_default();
            if Path::new("/proc").join(process).join("cwd").exists() {
                found.push(process.to_owned());
            }
        }
    }
    found
}
