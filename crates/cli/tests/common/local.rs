//! Local RDS with real servers, started by the real binary, one per test.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::background::Background;
use super::trapheus::trapheus;

/// A running local RDS. Dropped, it takes its databases along.
pub(crate) struct LocalRds {
    pub(super) server: Option<Background>,
    pub(super) directory: TempDir,
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
        let (server, endpoint_url) = start(&directory, "127.0.0.1:0", &[]);
        Self {
            server: Some(server),
            endpoint_url,
            directory,
        }
    }

    /// The processes of its database servers, by the directory that each works in.
    pub(super) fn servers(&self) -> BTreeMap<PathBuf, String> {
        servers(&data(&self.directory))
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
        let left = self.servers();
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
        for process in self.servers().into_values() {
            let _gone_already = Command::new("kill").args(["-QUIT", &process]).status();
        }
    }
}

/// Where its databases and snapshots live.
pub(super) fn data(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

/// Starts it on the directory, and says where it answers.
pub(super) fn start(directory: &TempDir, listen: &str, arguments: &[&str]) -> (Background, String) {
    let mut command = trapheus(directory.path());
    command
        .args(["local", "up", "--listen", listen, "--data-dir"])
        .arg(data(directory))
        .args(arguments);
    let (server, ready) = Background::start(&mut command, &directory.path().join("local.log"));
    let endpoint_url = ready["endpointUrl"]
        .as_str()
        .expect("it says where it answers");
    (server, endpoint_url.to_owned())
}

/// The first processes of all database servers that work below a directory, whatever files say.
fn servers(below: &Path) -> BTreeMap<PathBuf, String> {
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc")
        .expect("processes can be listed")
        .flatten()
    {
        let process = entry.file_name().to_string_lossy().into_owned();
        if !is_number(&process) {
            continue;
        }
        let Ok(directory) = fs::read_link(entry.path().join("cwd")) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        // The others of a PostgreSQL server have put their own words in the place of the arguments.
        let is_first = line
            .split(|byte| *byte == 0)
            .any(|word| word == b"-D" || word.starts_with(b"--defaults-file="));
        if directory.starts_with(below) && is_first {
            found.insert(directory, process);
        }
    }
    found
}
