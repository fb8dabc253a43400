//! MySQL and MariaDB: a transaction for each script, as far as its statements allow one.

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Row};

use super::server::{MEMORY, execute, failed, run, texts};
use super::{Answer, Column, Server, SqlError};

/// The lock that a preparation's session holds.
const LOCK: &str = "trapheus_preparation";
/// The databases that every server has.
const SYSTEM: &str =
    "('mysql', 'sys', 'performance_schema', 'information_schema', 'trapheus_preparation')";
/// What ends replication from elsewhere on RDS, where nobody may say `STOP REPLICA`.
const RDS_RESETS: [&str; 2] = ["rds_reset_external_source", "rds_reset_external_master"];
const RDS_STOPS: &str = "rds_stop_replication";

async fn connect(server: &Server) -> Result<MySqlConnection, SqlError> {
    let credentials = &server.credentials;
    let mut options = MySqlConnectOptions::new()
        .host(&server.endpoint.address)
        .port(server.endpoint.port)
        .username(credentials.user.as_deref().unwrap_or("admin"))
        .password(credentials.password.reveal())
        .ssl_mode(MySqlSslMode::Preferred)
        .disable_statement_logging();
    if let Some(database) = &credentials.database {
        options = options.database(database);
    }
    options
        .connect()
        .await
        .map_err(|error| failed("the login fails", &error))
}

/// Runs the scripts one after the other, each with its memory, from the first that isn't remembered.
pub(super) async fn prepare(
    server: &Server,
    execution: &str,
    scripts: &[String],
) -> Result<(), SqlError> {
    const WHAT: &str = "the preparation's transaction";
    let mut connection = connect(server).await?;
    // The session of a process that died may still be at work.
    let lock = format!("SELECT CAST(GET_LOCK('{LOCK}', 0) AS CHAR)");
    if texts(&mut connection, WHAT, lock).await? != ["1"] {
        return Err(SqlError::Passing(
            "an earlier preparation is still at work".to_owned(),
        ));
    }
    let note = format!(
        "CREATE DATABASE IF NOT EXISTS {MEMORY};
         CREATE TABLE IF NOT EXISTS {MEMORY}.done (execution varchar(255), script int)"
    );
    execute(&mut connection, WHAT, note).await?;
    let done = remembered(&mut connection, execution).await?;
    for (number, script) in scripts.iter().enumerate().skip(done) {
        execute(&mut connection, WHAT, "START TRANSACTION".to_owned()).await?;
        run(&mut connection, server.dialect, script).await?;
        let note = format!("INSERT INTO {MEMORY}.done VALUES (?, ?)");
        sqlx::query(AssertSqlSafe(note))
            .bind(execution)
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .execute(&mut connection)
            .await
            .map_err(|error| failed(WHAT, &error))?;
        execute(&mut connection, WHAT, "COMMIT".to_owned()).await?;
    }
    Ok(())
}

pub(super) async fn is_prepared(
    server: &Server,
    execution: &str,
    scripts: usize,
) -> Result<bool, SqlError> {
    let mut connection = connect(server).await?;
    let table = format!(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = '{MEMORY}' AND table_name = 'done'"
    );
    let table = texts(&mut connection, "looking for an earlier preparation", table).await?;
    Ok(!table.is_empty() && remembered(&mut connection, execution).await? >= scripts)
}

/// How many scripts have been run.
async fn remembered(connection: &mut MySqlConnection, execution: &str) -> Result<usize, SqlError> {
    let count = format!("SELECT COUNT(*) FROM {MEMORY}.done WHERE execution = ?");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(execution)
        .fetch_one(connection)
        .await
        .map_err(|error| failed("looking for an earlier preparation", &error))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

pub(super) async fn forget(server: &Server) -> Result<(), SqlError> {
    let drop = format!("DROP DATABASE IF EXISTS {MEMORY}");
    let what = "removing the memory of the preparation";
    execute(&mut connect(server).await?, what, drop).await
}

pub(super) async fn verify(server: &Server, scripts: &[String]) -> Result<Vec<Answer>, SqlError> {
    let mut connection = connect(server).await?;
    let only_read = "SET SESSION TRANSACTION READ ONLY".to_owned();
    execute(&mut connection, "a session that only reads", only_read).await?;
    let mut answers = Vec::new();
    for script in scripts {
        answers.extend(run(&mut connection, server.dialect, script).await?);
    }
    Ok(answers)
}

pub(super) async fn columns(server: &Server) -> Result<Vec<Column>, SqlError> {
    const WHAT: &str = "listing the columns";
    let list = format!(
        "SELECT c.table_schema, c.table_name, c.column_name
         FROM information_schema.columns c
         JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
         WHERE t.table_type NOT IN ('VIEW', 'SYSTEM VIEW') AND c.table_schema NOT IN {SYSTEM}
         ORDER BY 1, 2, c.ordinal_position"
    );
    let mut connection = connect(server).await?;
    let rows = sqlx::raw_sql(AssertSqlSafe(list))
        .fetch_all(&mut connection)
        .await;
    let rows = rows.map_err(|error| failed(WHAT, &error))?;
    rows.iter()
        .map(|row| {
            let schema: String = row.try_get_unchecked(0)?;
            Ok(Column {
                database: schema.clone(),
                schema,
                table: row.try_get_unchecked(1)?,
                name: row.try_get_unchecked(2)?,
            })
        })
        .collect::<Result<_, sqlx::Error>>()
        .map_err(|error| failed(WHAT, &error))
}

/// Events are disabled one by one: whether the scheduler runs belongs to the parameter group, which
/// is the original's. Replication from another server ends, and what it connects with is forgotten.
pub(super) async fn quarantine(server: &Server) -> Result<Vec<String>, SqlError> {
    let mut connection = connect(server).await?;
    let mut done = events(&mut connection).await?;
    done.extend(replication(&mut connection).await?);
    Ok(done)
}

async fn events(connection: &mut MySqlConnection) -> Result<Vec<String>, SqlError> {
    const WHAT: &str = "disabling the events";
    // The server quotes the names.
    let quoted = |name: &str| format!("CONCAT('`', REPLACE({name}, '`', '``'), '`')");
    let name = format!(
        "CONCAT({}, '.', {})",
        quoted("event_schema"),
        quoted("event_name")
    );
    let list =
        format!("SELECT {name} FROM information_schema.events WHERE status = 'ENABLED' ORDER BY 1");
    let names = texts(connection, WHAT, list).await?;
    for name in &names {
        execute(connection, WHAT, format!("ALTER EVENT {name} DISABLE")).await?;
    }
    Ok(names
        .iter()
        .map(|name| format!("event {name}: disabled"))
        .collect())
}

async fn replication(connection: &mut MySqlConnection) -> Result<Vec<String>, SqlError> {
    const WHAT: &str = "ending the replication from elsewhere";
    let look = sqlx::raw_sql("SHOW SLAVE STATUS")
        .fetch_all(&mut *connection)
        .await;
    // Newer servers of MySQL have another word for it.
    let channels = match look {
        Ok(rows) => rows.len(),
        Err(_) => {
            let look = sqlx::raw_sql("SHOW REPLICA STATUS").fetch_all(&mut *connection);
            look.await.map_err(|error| failed(WHAT, &error))?.len()
        }
    };
    if channels == 0 {
        return Ok(Vec::new());
    }
    let list =
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'mysql'";
    let routines = texts(connection, WHAT, list.to_owned()).await?;
    let reset = RDS_RESETS
        .iter()
        .find(|name| routines.iter().any(|known| known == *name));
    let end = match reset {
        Some(reset) => format!("CALL mysql.{RDS_STOPS}; CALL mysql.{reset}"),
        None => "STOP SLAVE; RESET SLAVE ALL".to_owned(),
    };
    execute(connection, WHAT, end).await?;
    Ok(vec!["replication from another server: ended".to_owned()])
}
