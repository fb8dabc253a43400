//! The blueprints of snapshots, in `TRAPHEUS_HOME`: a snapshot does not hold the configuration of
//! its database, so each that is taken gets a file beside the journal.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use trapheus_rds::Arn;
use trapheus_restore::{BlueprintError, Blueprints, SavedBlueprint};

/// Blueprints in the directory `blueprints` of a home.
pub(crate) struct BlueprintFiles {
    directory: Utf8PathBuf,
}

impl BlueprintFiles {
    pub(crate) fn of(home: &Utf8Path) -> Self {
        Self {
            directory: home.join("blueprints"),
        }
    }

    /// A file for each ARN; what RDS allows in one and file systems may not becomes `_`, which RDS
    /// does not allow.
    fn file(&self, snapshot: &Arn) -> Utf8PathBuf {
        let name = snapshot.as_str().replace([':', '/'], "_");
        self.directory.join(name).with_extension("json")
    }
}

#[async_trait]
impl Blueprints for BlueprintFiles {
    async fn keep(&self, snapshot: &Arn, blueprint: &SavedBlueprint) -> Result<(), BlueprintError> {
        let file = self.file(snapshot);
        let failed = |error: std::io::Error| BlueprintError(format!("can't write {file}: {error}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .and_then(|()| fs::set_permissions(&self.directory, Permissions::from_mode(0o700)))
            .map_err(failed)?;
        write(&file, blueprint).map_err(failed)
    }

    async fn of(&self, snapshot: &Arn) -> Result<Option<SavedBlueprint>, BlueprintError> {
        let file = self.file(snapshot);
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BlueprintError(format!("can't read {file}: {error}"))),
            Ok(text) => text,
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| BlueprintError(format!("{file} is no blueprint: {error}")))
    }

    async fn forget(&self, snapshot: &Arn) -> Result<(), BlueprintError> {
        let file = self.file(snapshot);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(BlueprintError(format!("can't delete {file}: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// Writes a blueprint for its owner's eyes: whole, or not at all.
pub(crate) fn write(file: &Utf8Path, blueprint: &SavedBlueprint) -> std::io::Result<()> {
    let unfinished = file.with_extension("json.new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut text = serde_json::to_string_pretty(blueprint).map_err(std::io::Error::other)?;
    text.push('\n');
    let mut opened = options.open(&unfinished)?;
    // One that a process has left half-written may have another mode.
    opened.set_permissions(Permissions::from_mode(0o600))?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    fs::rename(unfinished, file)
}
