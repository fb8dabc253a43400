//! Every operation of local RDS, begun and not waited for, and what local RDS leaves on the machine.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aws_sdk_rds::error::SdkError;

use super::local::{LocalRds, data};
use super::patience::done;
use super::rds::Rds;
use super::rows::{PASSWORD, USER};

impl Rds {
    /// Begins to create a database.
    pub(crate) fn begin_create(&self, identifier: &str) {
        let request = self
            .client
            .create_db_instance()
            .db_instance_identifier(identifier)
            .engine("postgres")
            .db_instance_class("db.t4g.micro")
            .allocated_storage(20)
            .db_name("shop")
            .master_username(USER)
            .master_user_password(PASSWORD);
        begun(done(request.send()));
    }

    /// Begins to restore a database.
    pub(crate) fn restore(&self, snapshot: &str, identifier: &str) {
        let request = self
            .client
            .restore_db_instance_from_db_snapshot()
            .db_snapshot_identifier(snapshot)
            .db_instance_identifier(identifier);
        begun(done(request.send()));
    }

    /// Begins to take a snapshot.
    pub(crate) fn begin_snapshot(&self, of: &str, identifier: &str) {
        let request = self
            .client
            .create_db_snapshot()
            .db_instance_identifier(of)
            .db_snapshot_identifier(identifier);
        begun(done(request.send()));
    }

    /// Begins to copy a snapshot.
    pub(crate) fn copy(&self, snapshot: &str, identifier: &str) {
        let request = self
            .client
            .copy_db_snapshot()
            .source_db_snapshot_identifier(snapshot)
            .target_db_snapshot_identifier(identifier);
        begun(done(request.send()));
    }

    /// Begins to delete a snapshot.
    pub(crate) fn delete_snapshot(&self, identifier: &str) {
        let request = self.client.delete_db_snapshot();
        begun(done(request.db_snapshot_identifier(identifier).send()));
    }

    /// Begins to set how long backups are kept.
    pub(crate) fn modify(&self, identifier: &str) {
        let request = self
            .client
            .modify_db_instance()
            .db_instance_identifier(identifier)
            .backup_retention_period(7)
            .apply_immediately(true);
        begun(done(request.send()));
    }

    /// Begins to rename a database.
    pub(crate) fn rename(&self, identifier: &str, to: &str) {
        let request = self
            .client
            .modify_db_instance()
            .db_instance_identifier(identifier)
            .new_db_instance_identifier(to)
            .apply_immediately(true);
        begun(done(request.send()));
    }

    /// Begins to reboot a database.
    pub(crate) fn reboot(&self, identifier: &str) {
        let request = self.client.reboot_db_instance();
        begun(done(request.db_instance_identifier(identifier).send()));
    }

    /// Begins to stop a database.
    pub(crate) fn stop(&self, identifier: &str) {
        let request = self.client.stop_db_instance();
        begun(done(request.db_instance_identifier(identifier).send()));
    }

    /// Begins to start a stopped database.
    pub(crate) fn start(&self, identifier: &str) {
        let request = self.client.start_db_instance();
        begun(done(request.db_instance_identifier(identifier).send()));
    }

    /// Begins to delete a database.
    pub(crate) fn delete(&self, identifier: &str) {
        let request = self
            .client
            .delete_db_instance()
            .db_instance_identifier(identifier)
            .skip_final_snapshot(true);
        begun(done(request.send()));
    }
}

fn begun<T, E: std::fmt::Debug, R: std::fmt::Debug>(answer: Result<T, SdkError<E, R>>) {
    answer.expect("local RDS takes the request");
}

impl LocalRds {
    /// The names of the directories of one kind below the data directory.
    pub(crate) fn directories(&self, kind: &str) -> BTreeSet<String> {
        let directory = data(&self.directory).join(kind);
        let entries = fs::read_dir(directory).expect("the directory is there");
        entries
            .map(|entry| entry.expect("directories can be listed").file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    /// The names of the directories whose servers run.
    pub(crate) fn running(&self) -> BTreeSet<String> {
        self.servers().into_keys().map(|path| name(&path)).collect()
    }

    /// The process that serves a database.
    pub(crate) fn process_of(&self, resource_id: &str) -> String {
        let servers = self.servers().into_iter();
        let mut of_it = servers.filter(|(path, _)| name(path).eq_ignore_ascii_case(resource_id));
        let (_, process) = of_it.next().expect("the database has a server");
        process
    }
}

/// The name of the server's directory, in which its data's is.
fn name(data: &Path) -> String {
    let name = data.parent().and_then(Path::file_name);
    name.expect("data is in a directory")
        .to_string_lossy()
        .into_owned()
}
