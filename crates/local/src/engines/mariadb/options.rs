//! What a server is told: `my.cnf`, written whole. No other option file of the machine is read.
//!
//! It is three layers, of which the last word wins: defaults that suit many servers on one machine, the parameter group,
//! and what the control plane relies on.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8Path;
use tokio::process::Command;

use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, failed};
use crate::engines::account::Account;
use crate::engines::{EngineError, ServerSpec};

/// The base name of the binary log's files, as on RDS.
pub(super) const BINARY_LOG: &str = "mysql-bin-changelog";

/// How long the binary log stays for replicas that were stopped, where nothing else keeps it.
pub(super) const LOG_SECONDS: u32 = 24 * 60 * 60;

/// What a parameter group may change.
const DEFAULTS: &[(&str, &str)] = &[
    ("character_set_server", "utf8mb4"),
    ("default_time_zone", "+00:00"),
    ("max_binlog_size", "134217728"),
    ("sync_binlog", "1"),
];

/// What stays as it is, whatever the parameter group says.
const FIXED: &[(&str, &str)] = &[
    ("skip_name_resolve", "ON"),
    ("log_bin", BINARY_LOG),
    ("log_slave_updates", "ON"),
    ("gtid_strict_mode", "ON"),
    ("gtid_domain_id", "0"),
    ("skip_slave_start", "ON"),
    ("innodb_doublewrite", "ON"),
];

/// Parameters whose option has another name.
const ALIASES: &[(&str, &str)] = &[
    ("time_zone", "default_time_zone"),
    ("tx_isolation", "transaction_isolation"),
    ("tx_read_only", "transaction_read_only"),
];

/// The values that a server has at its start, by the names of its options, as the server itself spells them.
pub(super) type Values = BTreeMap<String, String>;

/// What a program prints for an option that has no value.
pub(super) const NO_VALUE: &str = "(No default value)";

/// Writes the file of a server, after its own program has found the values acceptable; returns what they come to. On an
/// error the file that was there stays.
pub(super) async fn write(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    spec: &ServerSpec,
) -> Result<Values, EngineError> {
    let text = render(layout, spec)?;
    let path = layout.option_file();
    let candidate = path.with_extension("cnf.new");
    let failed = failed("writing the option file");
    std::fs::write(&candidate, text).map_err(&failed)?;
    let values = values(installation, account, &candidate).await?;
    std::fs::rename(&candidate, &path).map_err(&failed)?;
    Ok(values)
}

/// Lets the server's program read a file without starting a server. What it would pass over with a complaint is refused.
pub(super) async fn values(
    installation: &Installation,
    account: Account,
    file: &Utf8Path,
) -> Result<Values, EngineError> {
    let mut command = Command::new(installation.program("mariadbd"));
    command
        .arg(format!("--defaults-file={file}"))
        .args(["--help", "--verbose"]);
    let output = match program::run(&mut command, account, "checking the parameters", "").await {
        Ok(output) => output,
        Err(EngineError::Failed { reason, .. }) => return Err(EngineError::Parameters { reason }),
        Err(other) => return Err(other),
    };
    let complaints = String::from_utf8_lossy(&output.stderr);
    if !program::errors(&complaints).is_empty() {
        let reason = program::complaint(&complaints);
        return Err(EngineError::Parameters { reason });
    }
    Ok(read_values(&String::from_utf8_lossy(&output.stdout)))
}

/// The table at the end of the help.
fn read_values(help: &str) -> Values {
    let lines = help.lines().skip_while(|line| !line.starts_with("-----"));
    lines
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            (name.replace('-', "_"), value.trim().to_owned())
        })
        .collect()
}

/// The names of all parameters that a file sets.
pub(super) fn names(file: &str) -> impl Iterator<Item = &str> {
    let lines = file.lines().filter_map(|line| line.split_once(" = "));
    lines.map(|(name, _)| name.strip_prefix(LOOSE).unwrap_or(name))
}

/// The option of a parameter.
pub(super) fn option_of(parameter: &str) -> String {
    let parameter = parameter.replace('-', "_");
    let alias = ALIASES.iter().find(|(name, _)| *name == parameter);
    alias.map_or(parameter, |(_, option)| (*option).to_owned())
}

/// The parameter of an option.
pub(super) fn parameter_of(option: &str) -> &str {
    let alias = ALIASES.iter().find(|(_, name)| *name == option);
    alias.map_or(option, |(parameter, _)| parameter)
}

/// Before an option that a server may pass over when it doesn't know it.
const LOOSE: &str = "loose_";

fn render(layout: &Layout, spec: &ServerSpec) -> Result<String, EngineError> {
    let mut text = String::from(
        "# Written by Trapheus at every start and every change; edits are lost.\n[mariadbd]\n",
    );
    for (name, value) in DEFAULTS {
        set(&mut text, name, value);
    }
    text.push_str("\n# The parameter group.\n");
    // A group of MySQL has parameters that MariaDB doesn't know.
    let prefix = if spec.engine == "mariadb" { "" } else { LOOSE };
    for (name, value) in &spec.parameters {
        check_name(name)?;
        set(&mut text, &format!("{prefix}{}", option_of(name)), value);
    }
    text.push_str("\n# What the control plane relies on.\n");
    for (name, value) in FIXED {
        set(&mut text, name, value);
    }
    let address = layout.replication_address();
    let pid_file = layout.socket_directory().join("mariadb.pid");
    // While an archive is kept, the log is removed only after it has got there.
    let log_seconds = if layout.archive().exists() {
        0
    } else {
        LOG_SECONDS
    };
    set(&mut text, "datadir", layout.data().as_str());
    set(&mut text, "tmpdir", layout.temporary().as_str());
    set(&mut text, "socket", layout.unix_socket().as_str());
    set(&mut text, "pid_file", pid_file.as_str());
    set(&mut text, "bind_address", &address.ip().to_string());
    set(&mut text, "port", &address.port().to_string());
    set(&mut text, "server_id", &layout.server_id().to_string());
    set(
        &mut text,
        "binlog_expire_logs_seconds",
        &log_seconds.to_string(),
    );
    if layout.upstream().exists() {
        set(&mut text, "read_only", "ON");
        set(&mut text, "event_scheduler", "OFF");
    }
    Ok(text)
}

fn set(text: &mut String, name: &str, value: &str) {
    let quoted = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
        .replace('\r', "\\r");
    writeln!(text, "{name} = \"{quoted}\"").expect("writing to a string cannot fail");
}

/// A name with anything else in it could end its line and begin another setting.
fn check_name(name: &str) -> Result<(), EngineError> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.');
    if !name.is_empty() && name.chars().all(plain) {
        return Ok(());
    }
    Err(EngineError::Parameters {
        reason: format!("unknown variable '{name}'"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::Secret;

    fn rendered(engine: &str, parameters: &[(&str, &str)]) -> Result<String, EngineError> {
        let parameters = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let spec = ServerSpec {
            resource_id: "db-ONE".to_owned(),
            directory: "/srv/one".into(),
            engine: engine.to_owned(),
            engine_version: String::new(),
            master_username: "admin".to_owned(),
            master_password: Secret::new("secret"),
            database: None,
            parameters,
            allocated_storage_gib: 20,
        };
        render(&Layout::new(&spec.directory), &spec)
    }

    #[test]
    fn the_parameter_group_comes_after_the_defaults_and_before_what_is_fixed() {
        let group = [("sync_binlog", "0"), ("log_bin", "elsewhere")];
        let text = rendered("mariadb", &group).unwrap();
        assert!(text.find("sync_binlog = \"1\"") < text.find("sync_binlog = \"0\""));
        assert!(text.find("\"elsewhere\"") < text.find("\"mysql-bin-changelog\""));
    }

    #[test]
    fn a_value_cannot_leave_its_line() {
        let text = rendered("mariadb", &[("init_connect", "a\"\nlog_bin = b\\")]).unwrap();
        assert!(text.contains("init_connect = \"a\\\"\\nlog_bin = b\\\\\"\n"));
    }

    #[test]
    fn a_name_cannot_carry_a_setting_of_its_own() {
        assert!(matches!(
            rendered("mariadb", &[("a = 1\nlog_bin", "b")]),
            Err(EngineError::Parameters { .. })
        ));
    }

    #[test]
    fn only_a_group_of_mysql_may_have_parameters_that_the_server_does_not_know() {
        let group = [("time_zone", "+01:00")];
        let strict = rendered("mariadb", &group).unwrap();
        assert!(strict.contains("\ndefault_time_zone = \"+01:00\"\n"));
        let loose = rendered("mysql", &group).unwrap();
        assert!(loose.contains("\nloose_default_time_zone = \"+01:00\"\n"));
    }

    #[test]
    fn values_are_read_from_the_table_of_the_help() {
        let help = "Usage\n\nVariables (--variable-name=value)\nand boolean options\n------ -----\n\
                    init-connect                  \nsql-mode     ANSI,TRADITIONAL\n\nTo see\n";
        let expected = [("init_connect", ""), ("sql_mode", "ANSI,TRADITIONAL")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read_values(help), Values::from(expected));
    }
}
