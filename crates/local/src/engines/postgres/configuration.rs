//! What a server is told: `postgresql.conf` and `pg_hba.conf`, both written whole.
//!
//! `postgresql.conf` is three layers, of which the last word wins: defaults that suit many servers on one machine, the
//! parameter group, and what the control plane relies on. A durability trade-off is made in none of them: `fsync`,
//! `full_page_writes` and `synchronous_commit` are PostgreSQL's defaults, and a parameter group can't switch off the
//! first two.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use tokio::process::Command;

use super::installation::Installation;
use super::layout::{Layout, SOCKET_PORT};
use super::{archive, program, replication};
use crate::engines::EngineError;
use crate::engines::account::Account;

/// The role that the control plane itself uses, as on RDS.
pub(super) const ADMINISTRATOR: &str = "rdsadmin";

/// What a parameter group may change.
const DEFAULTS: &[(&str, &str)] = &[
    // Memory is touched when it is used, so many small servers cost little.
    ("shared_buffers", "128MB"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("default_text_search_config", "pg_catalog.english"),
];

/// What stays as it is, whatever the parameter group says.
const FIXED: &[(&str, &str)] = &[
    // Clients come through the forwarder: the server itself must not be reachable by the network.
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("ssl", "off"),
    ("fsync", "on"),
    ("full_page_writes", "on"),
    // The first start of a restored copy makes it durable: one call for the whole file system instead of opening and
    // flushing every file in turn.
    ("recovery_init_sync_method", "syncfs"),
    ("archive_mode", "always"),
    // What a replica finds when it comes back, and how soon it looks again.
    ("wal_keep_size", "256MB"),
    ("wal_retrieve_retry_interval", "200ms"),
    ("logging_collector", "off"),
    ("log_destination", "stderr"),
];

/// Clients log in by password only. The control plane does too: the forwarder runs as the same operating-system user,
/// so `peer` would make a superuser of everybody who comes through it. Its own password travels as it is, because the
/// socket has no listeners, and hashing it in a debug build takes longer than everything else.
const HOST_BASED_AUTHENTICATION: &str = "\
# Written by Trapheus; changes are lost.
local rdsadmin    rdsadmin password
local replication rdsadmin password
local rdsadmin    all      reject
local all         rdsadmin reject
local all         all      scram-sha-256
";

/// Writes the files of a server, after its own programs have found the values acceptable. On an error the files that
/// were there stay.
pub(super) async fn write(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    parameters: &BTreeMap<String, String>,
) -> Result<(), EngineError> {
    let text = render(layout, parameters)?;
    let path = layout.configuration();
    let candidate = path.with_extension("conf.new");
    let failed = program::failed("writing the configuration");
    std::fs::write(
        layout.host_based_authentication(),
        HOST_BASED_AUTHENTICATION,
    )
    .map_err(&failed)?;
    std::fs::write(&candidate, text).map_err(&failed)?;
    check(layout, installation, account, &candidate).await?;
    std::fs::rename(&candidate, &path).map_err(&failed)
}

/// Lets the server's program read the file without starting a server.
async fn check(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    candidate: &Utf8Path,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("postgres"));
    command
        .args(["-C", "data_directory", "-D", layout.data().as_str()])
        .args(["-c", &format!("config_file={candidate}")]);
    match program::run(&mut command, account, "checking the parameters").await {
        Ok(_) => Ok(()),
        Err(EngineError::Failed { reason, .. }) => Err(EngineError::Parameters { reason }),
        Err(other) => Err(other),
    }
}

fn render(layout: &Layout, parameters: &BTreeMap<String, String>) -> Result<String, EngineError> {
    let mut text =
        String::from("# Written by Trapheus at every start and every change; edits are lost.\n");
    for (name, value) in DEFAULTS {
        set(&mut text, name, value);
    }
    text.push_str("\n# The parameter group.\n");
    for (name, value) in parameters {
        check_name(name)?;
        set(&mut text, name, value);
    }
    text.push_str("\n# What the control plane relies on.\n");
    for (name, value) in FIXED {
        set(&mut text, name, value);
    }
    set(&mut text, "port", &SOCKET_PORT.to_string());
    set(
        &mut text,
        "hba_file",
        layout.host_based_authentication().as_str(),
    );
    set(
        &mut text,
        "unix_socket_directories",
        layout.socket_directory().as_str(),
    );
    set(&mut text, "wal_level", wal_level(parameters));
    let action = "reading what the server is";
    let mut remembered = replication::settings(layout).map_err(program::failed(action))?;
    remembered.extend(archive::settings(layout).map_err(program::failed(action))?);
    for (name, value) in remembered {
        set(&mut text, name, &value);
    }
    Ok(text)
}

/// A snapshot needs `replica`; logical decoding is switched on as on RDS.
fn wal_level(parameters: &BTreeMap<String, String>) -> &'static str {
    match parameters
        .get("rds.logical_replication")
        .map(String::as_str)
    {
        Some("1" | "on" | "true") => "logical",
        Some(_) | None => "replica",
    }
}

fn set(text: &mut String, name: &str, value: &str) {
    let quoted = value
        .replace('\\', "\\\\")
        .replace('\'', "''")
        .replace('\n', "\\n");
    writeln!(text, "{name} = '{quoted}'").expect("writing to a string cannot fail");
}

/// A name with anything else in it could end its line and begin another setting.
fn check_name(name: &str) -> Result<(), EngineError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(());
    }
    Err(EngineError::Parameters {
        reason: format!("unrecognized configuration parameter \"{name}\""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(parameters: &[(&str, &str)]) -> Result<String, EngineError> {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        render(&Layout::new(Utf8Path::new("/srv/one")), &parameters)
    }

    #[test]
    fn the_parameter_group_comes_after_the_defaults_and_before_what_is_fixed() {
        let text = rendered(&[("shared_buffers", "16MB"), ("fsync", "off")]).unwrap();
        assert!(text.find("'128MB'") < text.find("'16MB'"));
        assert!(text.find("fsync = 'off'") < text.find("fsync = 'on'"));
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        let text = rendered(&[("application_name", "a'\nfsync = off\\")]).unwrap();
        assert!(text.contains("application_name = 'a''\\nfsync = off\\\\'\n"));
    }

    #[test]
    fn a_name_cannot_carry_a_setting_of_its_own() {
        assert!(matches!(
            rendered(&[("a = 1\nfsync", "off")]),
            Err(EngineError::Parameters { .. })
        ));
    }

    #[test]
    fn logical_replication_is_switched_on_as_on_rds() {
        let text = rendered(&[("rds.logical_replication", "1")]).unwrap();
        assert!(text.contains("wal_level = 'logical'"));
    }
}
