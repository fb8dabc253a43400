//! Finds the PostgreSQL programs of this machine.
//!
//! Distributions keep the server's programs out of PATH (Debian: `/usr/lib/postgresql/15/bin`), so the usual places are
//! looked at too. Nothing is remembered: a version that somebody installs is there at the next question.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use tokio::process::Command;

use crate::engines::EngineError;

/// Folders whose entries may contain a `bin` folder with the programs of one version.
const VERSIONED_PLACES: [&str; 5] = [
    "/usr/lib/postgresql",
    "/usr/pgsql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/opt/postgresql",
];

/// Folders that may contain the programs of one version themselves.
const PLAIN_PLACES: [&str; 3] = [
    "/usr/local/pgsql/bin",
    "/usr/libexec/postgresql",
    "/usr/bin",
];

/// The programs of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installation {
    binaries: Utf8PathBuf,
    version: Version,
}

/// A version of PostgreSQL, such as 15.14. Data of one major version can be read by that major version only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
}

impl Version {
    /// Reads `15`, `15.14`, or what `postgres --version` prints.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let number = text
            .split_whitespace()
            .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
        let mut parts = number.split('.');
        let major = leading_number(parts.next()?)?;
        let minor = parts.next().and_then(leading_number).unwrap_or(0);
        Some(Self { major, minor })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl Installation {
    /// Every version on this machine, oldest first; of two copies of one version the one in PATH.
    pub(super) async fn all() -> Vec<Self> {
        let mut found = BTreeMap::new();
        for binaries in candidates() {
            if let Some(version) = version_of(&binaries).await {
                found.entry(version).or_insert(Self { binaries, version });
            }
        }
        found.into_values().collect()
    }

    /// The newest installation of a major version.
    pub(super) async fn of_major(major: u32) -> Result<Self, EngineError> {
        Self::all()
            .await
            .into_iter()
            .rfind(|installation| installation.version.major == major)
            .ok_or_else(|| EngineError::NotInstalled {
                engine: format!("PostgreSQL {major}"),
                hint: install_hint(major),
            })
    }

    /// The installation for a version in RDS's spelling: minor versions read each other's data, so any will do.
    pub(super) async fn of_version(engine_version: &str) -> Result<Self, EngineError> {
        let version = Version::parse(engine_version).ok_or_else(|| EngineError::NotInstalled {
            engine: format!("PostgreSQL {engine_version}"),
            hint: "a version looks like 15 or 15.14".to_owned(),
        })?;
        Self::of_major(version.major).await
    }

    /// The installation that can read a data directory.
    pub(super) async fn of_data(data: &Utf8Path) -> Result<Self, EngineError> {
        let text = std::fs::read_to_string(data.join("PG_VERSION")).map_err(|error| {
            EngineError::Directory {
                directory: data.to_owned(),
                reason: format!("it is not a PostgreSQL data directory: {error}"),
            }
        })?;
        Self::of_version(text.trim()).await
    }

    pub(super) fn version(&self) -> Version {
        self.version
    }

    pub(super) fn program(&self, name: &str) -> Utf8PathBuf {
        self.binaries.join(name)
    }
}

fn candidates() -> Vec<Utf8PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut folders: Vec<Utf8PathBuf> = path.split(':').map(Utf8PathBuf::from).collect();
    for place in VERSIONED_PLACES {
        let Ok(entries) = Utf8Path::new(place).read_dir_utf8() else {
            continue;
        };
        folders.extend(entries.flatten().map(|entry| entry.path().join("bin")));
    }
    // The packages of postgresql.org for Red Hat's family put the version into the folder's own name.
    if let Ok(entries) = Utf8Path::new("/usr").read_dir_utf8() {
        folders.extend(
            entries
                .flatten()
                .filter(|entry| entry.file_name().starts_with("pgsql-"))
                .map(|entry| entry.path().join("bin")),
        );
    }
    folders.extend(PLAIN_PLACES.map(Utf8PathBuf::from));
    folders.retain(|folder| folder.join("postgres").is_file() && folder.join("initdb").is_file());
    folders
}

async fn version_of(binaries: &Utf8Path) -> Option<Version> {
    let output = Command::new(binaries.join("postgres"))
        .arg("--version")
        .current_dir("/")
        .output()
        .await
        .ok()?;
    Version::parse(&String::from_utf8_lossy(&output.stdout))
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit())
        .map_or(text, |end| &text[..end]);
    digits.parse().ok()
}

fn install_hint(major: u32) -> String {
    let command = if Utf8Path::new("/usr/bin/apt-get").exists() {
        format!("sudo apt-get install postgresql-{major}")
    } else if Utf8Path::new("/usr/bin/dnf").exists() {
        format!("sudo dnf install postgresql{major}-server")
    } else if Utf8Path::new("/opt/homebrew/bin/brew").exists() {
        format!("brew install postgresql@{major}")
    } else {
        return "see https://www.postgresql.org/download/".to_owned();
    };
    format!("install it with: {command}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_rds_and_postgres_say() {
        let read = |text| Version::parse(text).map(|version| version.to_string());
        assert_eq!(read("15.14").as_deref(), Some("15.14"));
        assert_eq!(read("15").as_deref(), Some("15.0"));
        assert_eq!(
            read("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)").as_deref(),
            Some("15.14")
        );
        assert_eq!(
            read("postgres (PostgreSQL) 18beta2").as_deref(),
            Some("18.0")
        );
        assert_eq!(read("latest"), None);
    }

    #[test]
    fn nine_is_older_than_fifteen() {
        assert!(Version::parse("9.6") < Version::parse("15.1"));
    }
}
