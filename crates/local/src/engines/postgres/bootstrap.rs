//! Makes a new, empty server: initdb, the roles of RDS, the master user and the first databases.
//!
//! The SQL runs in PostgreSQL's single-user mode: no server is started that could be orphaned, the password is on
//! nobody's command line, and the program ends by itself when the control plane dies. The directory is built under a
//! partial name, so that it is either whole or not there.

use tokio::process::Command;

use super::configuration::ADMINISTRATOR;
use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, failed};
use super::session::{identifier, literal};
use crate::engines::account::Account;
use crate::engines::directory::make_server;
use crate::engines::{EngineError, ServerSpec};

/// Rights of a master user on RDS that have a role of their own in every supported version.
const GRANTED_TO_SUPERUSER: &str = "pg_monitor, pg_signal_backend, rds_password, rds_replication";

/// `pg_checkpoint` is newer than the oldest supported version.
const FIRST_MAJOR_WITH_CHECKPOINT_ROLE: u32 = 15;

/// Makes the server's directory. One that is there already was made by an earlier try and is left alone.
pub(super) async fn create(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    if layout.data().exists() {
        return Ok(());
    }
    let installation = Installation::of_version(&spec.engine_version).await?;
    let password =
        make_server(&layout, account).map_err(failed("making the server's directory"))?;
    account.check_reach(&layout.data())?;
    initialize(&layout, &installation, account).await?;
    let statements = statements(spec, &installation, &password);
    run_statements(&layout, &installation, account, &statements).await?;
    std::fs::rename(layout.partial_data(), layout.data())
        .map_err(failed("naming the data directory"))
}

/// `--no-sync`: the new files reach the disk with the kernel's next write-back, within half a minute. A power cut
/// before that loses a database that has just been made; everything that a client commits is flushed as usual.
async fn initialize(
    layout: &Layout,
    installation: &Installation,
    account: Account,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("initdb"));
    command
        .args(["--pgdata", layout.partial_data().as_str()])
        .args(["--username", ADMINISTRATOR, "--auth", "reject"])
        // Every machine has these locales; sorting is by code point.
        .args([
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--lc-ctype",
            "C.UTF-8",
        ])
        .args(["--no-sync", "--no-instructions"]);
    program::run(&mut command, account, "initdb")
        .await
        .map(drop)
}

/// In single-user mode one line is one statement.
fn statements(spec: &ServerSpec, installation: &Installation, password: &str) -> String {
    let master = identifier(&spec.master_username);
    let mut lines = vec![
        "SET password_encryption = 'scram-sha-256'".to_owned(),
        format!("ALTER ROLE {ADMINISTRATOR} PASSWORD {}", literal(password)),
        "CREATE ROLE rds_password".to_owned(),
        "CREATE ROLE rds_replication".to_owned(),
        "CREATE ROLE rds_superuser".to_owned(),
        format!("GRANT {GRANTED_TO_SUPERUSER} TO rds_superuser WITH ADMIN OPTION"),
        format!(
            "CREATE ROLE {master} LOGIN CREATEDB CREATEROLE IN ROLE rds_superuser VALID UNTIL 'infinity' PASSWORD {}",
            literal(spec.master_password.reveal())
        ),
        format!("ALTER DATABASE postgres OWNER TO {master}"),
        format!("ALTER DATABASE template1 OWNER TO {master}"),
        format!("CREATE DATABASE {ADMINISTRATOR} TEMPLATE template0"),
        format!("REVOKE ALL ON DATABASE {ADMINISTRATOR} FROM PUBLIC"),
    ];
    if installation.version().major >= FIRST_MAJOR_WITH_CHECKPOINT_ROLE {
        lines.push("GRANT pg_checkpoint TO rds_superuser WITH ADMIN OPTION".to_owned());
    }
    if let Some(database) = spec.database.as_deref().filter(|name| *name != "postgres") {
        lines.push(format!(
            "CREATE DATABASE {} OWNER {master}",
            identifier(database)
        ));
    }
    lines.iter().map(|line| format!("{line};\n")).collect()
}

async fn run_statements(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    statements: &str,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("postgres"));
    command
        .args(["--single", "-D", layout.partial_data().as_str()])
        .args([
            "-c",
            "exit_on_error=on",
            "-c",
            "log_min_error_statement=panic",
        ])
        .arg("template1");
    program::run_with_input(&mut command, account, "making the master user", statements)
        .await
        .map(drop)
}
