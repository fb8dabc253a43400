//! Makes a new, empty server: mariadb-install-db, the users of RDS, the master user and the first database.
//!
//! The SQL runs in MariaDB's bootstrap mode: no server is started that could be orphaned, the password is on nobody's
//! command line, and the program ends by itself when the control plane dies. The directory is built under a partial
//! name, so that it is either whole or not there.

use tokio::process::Command;

use super::installation::Installation;
use super::layout::Layout;
use super::program::{self, failed};
use super::server::make_temporary;
use super::session::{ADMINISTRATOR, REPLICATOR, identifier, literal};
use crate::engines::account::Account;
use crate::engines::directory::make_server;
use crate::engines::{EngineError, ServerSpec};

/// Rights of a master user on RDS, on everything.
const MASTER_RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, \
    SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, BINLOG MONITOR, SLAVE MONITOR, \
    CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, DELETE HISTORY";

/// Makes the server's directory. One that is there already was made by an earlier try and is left alone.
pub(super) async fn create(spec: &ServerSpec, account: Account) -> Result<(), EngineError> {
    let layout = Layout::new(&spec.directory);
    if layout.data().exists() {
        return Ok(());
    }
    let installation = Installation::find().await?;
    let password =
        make_server(&layout, account).map_err(failed("making the server's directory"))?;
    account.check_reach(&layout.data())?;
    make_temporary(&layout, account)?;
    install(&layout, &installation, account).await?;
    run_statements(
        &layout,
        &installation,
        account,
        &statements(spec, &password),
    )
    .await?;
    std::fs::rename(layout.partial_data(), layout.data())
        .map_err(failed("naming the data directory"))
}

async fn install(
    layout: &Layout,
    installation: &Installation,
    account: Account,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("mariadb-install-db"));
    command
        .args(["--no-defaults", "--skip-name-resolve", "--skip-test-db"])
        .args(["--auth-root-authentication-method=normal"])
        .arg(format!("--datadir={}", layout.partial_data()))
        .arg(format!("--tmpdir={}", layout.temporary()));
    program::run(&mut command, account, "mariadb-install-db", "")
        .await
        .map(drop)
}

/// One statement a line, which is what the bootstrap mode reads. RDS has no `root`; `mariadb.sys` owns system views and
/// can't log in.
fn statements(spec: &ServerSpec, password: &str) -> String {
    let master = format!("{}@'%'", literal(&spec.master_username));
    let password = literal(password);
    let mut lines = vec![
        "FLUSH PRIVILEGES".to_owned(),
        "SET sql_mode = ''".to_owned(),
        "DELETE FROM mysql.global_priv WHERE User <> 'mariadb.sys'".to_owned(),
        "DELETE FROM mysql.proxies_priv".to_owned(),
        "FLUSH PRIVILEGES".to_owned(),
        format!("CREATE USER '{ADMINISTRATOR}'@'localhost' IDENTIFIED BY {password}"),
        format!("GRANT ALL ON *.* TO '{ADMINISTRATOR}'@'localhost' WITH GRANT OPTION"),
        format!("CREATE USER '{REPLICATOR}'@'127.%' IDENTIFIED BY {password}"),
        format!("GRANT REPLICATION SLAVE ON *.* TO '{REPLICATOR}'@'127.%'"),
        "CREATE TABLE mysql.rds_heartbeat2 (id int PRIMARY KEY, value bigint) ENGINE=InnoDB"
            .to_owned(),
        "INSERT INTO mysql.rds_heartbeat2 VALUES (1, 0)".to_owned(),
        format!(
            "CREATE USER {master} IDENTIFIED BY {}",
            literal(spec.master_password.reveal())
        ),
        format!("GRANT {MASTER_RIGHTS} ON *.* TO {master} WITH GRANT OPTION"),
    ];
    if let Some(database) = &spec.database {
        let name = identifier(database);
        lines.push(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"));
    }
    lines.iter().map(|line| format!("{line};\n")).collect()
}

async fn run_statements(
    layout: &Layout,
    installation: &Installation,
    account: Account,
    statements: &str,
) -> Result<(), EngineError> {
    let mut command = Command::new(installation.program("mariadbd"));
    command
        .args(["--no-defaults", "--bootstrap", "--skip-name-resolve"])
        .arg(format!("--datadir={}", layout.partial_data()))
        .arg(format!("--tmpdir={}", layout.temporary()));
    program::run(&mut command, account, "making the master user", statements)
        .await
        .map(drop)
}
