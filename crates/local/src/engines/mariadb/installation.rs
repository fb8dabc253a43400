//! Finds the MariaDB programs of this machine.
//!
//! A machine has one MariaDB as a rule, and its newer versions read the data of the older ones, so the first that is
//! found serves everything. Nothing is remembered: what somebody installs is there at the next question.

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use crate::engines::EngineError;

/// Folders beside those of PATH that may contain the programs.
const PLACES: [&str; 8] = [
    "/usr/sbin",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/opt/mariadb/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/usr/local/opt/mariadb/bin",
];

/// All the programs that are used, and the packages of Debian that they are in. They bring no server that starts by
/// itself, as `mariadb-server` does.
const PROGRAMS: [(&str, &str); 5] = [
    ("mariadbd", "mariadb-server-core"),
    ("mariadb-install-db", "mariadb-server-core"),
    ("mariadb-binlog", "mariadb-client"),
    ("mariadb", "mariadb-client"),
    ("mariadb-backup", "mariadb-backup"),
];

/// The programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Installation {
    programs: Vec<(&'static str, Utf8PathBuf)>,
    version: String,
}

impl Installation {
    /// The installation of this machine.
    pub(super) async fn find() -> Result<Self, EngineError> {
        let folders = folders();
        let mut programs = Vec::new();
        let mut missing = Vec::new();
        for (program, package) in PROGRAMS {
            let mut paths = folders.iter().map(|folder| folder.join(program));
            match paths.find(|path| path.is_file()) {
                Some(path) => programs.push((program, path)),
                None => missing.push((program, package)),
            }
        }
        if !missing.is_empty() {
            return Err(not_installed(&missing));
        }
        let mut found = Self {
            programs,
            version: String::new(),
        };
        found.version = version_of(&found.program("mariadbd"))
            .await
            .ok_or_else(|| EngineError::NotInstalled {
                engine: "MariaDB".to_owned(),
                hint: "`mariadbd --version` does not say a version of MariaDB".to_owned(),
            })?;
        Ok(found)
    }

    /// Its version in RDS's spelling, such as `10.11.14`.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn program(&self, name: &str) -> Utf8PathBuf {
        let found = self.programs.iter().find(|(program, _)| *program == name);
        found.map_or_else(|| name.into(), |(_, path)| path.clone())
    }
}

fn folders() -> Vec<Utf8PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let named = path.split(':').filter(|folder| folder.starts_with('/'));
    named.chain(PLACES).map(Utf8PathBuf::from).collect()
}

async fn version_of(server: &Utf8Path) -> Option<String> {
    let output = Command::new(server)
        .args(["--no-defaults", "--version"])
        .current_dir("/")
        .output()
        .await
        .ok()?;
    read_version(&String::from_utf8_lossy(&output.stdout))
}

/// Reads the version out of `mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64`.
fn read_version(text: &str) -> Option<String> {
    let (_, after) = text.split_once(" Ver ")?;
    let (version, distribution) = after.trim().split_once('-')?;
    distribution
        .starts_with("MariaDB")
        .then(|| version.to_owned())
}

fn not_installed(missing: &[(&str, &str)]) -> EngineError {
    let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let hint = if Utf8Path::new("/usr/bin/apt-get").exists() {
        let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        let packages = packages.join(" ");
        format!("install it with: sudo apt-get install {packages}")
    } else if Utf8Path::new("/usr/bin/dnf").exists() {
        "install it with: sudo dnf install mariadb-server mariadb-backup".to_owned()
    } else if Utf8Path::new("/opt/homebrew/bin/brew").exists() {
        "install it with: brew install mariadb".to_owned()
    } else {
        "see https://mariadb.org/download/".to_owned()
    };
    EngineError::NotInstalled {
        engine: format!("MariaDB ({})", programs.join(", ")),
        hint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_what_the_server_says() {
        let debian =
            "mariadbd  Ver 10.11.14-MariaDB-0+deb12u2 for debian-linux-gnu on x86_64 (Debian 12)";
        assert_eq!(read_version(debian).as_deref(), Some("10.11.14"));
        let mysql = "mysqld  Ver 8.0.40 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert_eq!(read_version(mysql), None);
    }
}
