//! PostgreSQL: everything in one transaction, and a quarantine in every database.

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};

use super::server::{MEMORY, execute, failed, run, texts};
use super::{Answer, Column, Server, SqlError};

/// RDS's own, which nobody gets into.
const OF_RDS: &str = "rdsadmin";
/// The key of the lock that a preparation holds until its transaction is over.
const LOCK: i64 = 0x7472_6170_6865_7573;

async fn connect(server: &Server, database: Option<&str>) -> Result<PgConnection, SqlError> {
    let credentials = &server.credentials;
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.endpoint.address)
        .port(server.endpoint.port)
        .username(credentials.user.as_deref().unwrap_or("postgres"))
        .password(credentials.password.reveal())
        .ssl_mode(PgSslMode::Prefer)
        .options([("statement_timeout", server.patience.as_millis().to_string())])
        .disable_statement_logging();
    let options = match database.or(credentials.database.as_deref()) {
        Some(database) => options.database(database),
        None => options,
    };
    options
        .connect()
        .await
        .map_err(|error| failed("the login fails", &error))
}

/// Runs all scripts in one transaction, with the memory of it.
pub(super) async fn prepare(
    server: &Server,
    execution: &str,
    scripts: &[String],
) -> Result<(), SqlError> {
    const WHAT: &str = "the preparation's transaction";
    let mut connection = connect(server, None).await?;
    execute(&mut connection, WHAT, "BEGIN".to_owned()).await?;
    // The session of a process that died may still be at its COMMIT.
    let lock = format!("SELECT pg_try_advisory_xact_lock({LOCK})::text");
    if texts(&mut connection, WHAT, lock).await? != ["true"] {
        return Err(SqlError::Passing(
            "an earlier preparation is still at work".to_owned(),
        ));
    }
    if remembers(&mut connection, execution, scripts.len()).await? {
        return Ok(());
    }
    let transaction = "SELECT txid_current()::text".to_owned();
    let ours = texts(&mut connection, WHAT, transaction.clone()).await?;
    for script in scripts {
        run(&mut connection, server.dialect, script).await?;
    }
    execute(&mut connection, WHAT, "RESET ROLE".to_owned()).await?;
    if texts(&mut connection, WHAT, transaction).await? != ours {
        return Err(SqlError::Refused(
            "a script ends the transaction that it runs in: leave BEGIN, COMMIT and ROLLBACK out"
                .to_owned(),
        ));
    }
    let note = format!(
        "CREATE SCHEMA IF NOT EXISTS {MEMORY};
         CREATE TABLE IF NOT EXISTS {MEMORY}.done (execution text, script integer);"
    );
    execute(&mut connection, WHAT, note).await?;
    let note = format!("INSERT INTO {MEMORY}.done SELECT $1, generate_series(1, $2)");
    sqlx::query(AssertSqlSafe(note))
        .bind(execution)
        .bind(i32::try_from(scripts.len()).unwrap_or(i32::MAX))
        .execute(&mut connection)
        .await
        .map_err(|error| failed(WHAT, &error))?;
    execute(&mut connection, WHAT, "COMMIT".to_owned()).await
}

pub(super) async fn is_prepared(
    server: &Server,
    execution: &str,
    scripts: usize,
) -> Result<bool, SqlError> {
    let mut connection = connect(server, None).await?;
    remembers(&mut connection, execution, scripts).await
}

async fn remembers(
    connection: &mut PgConnection,
    execution: &str,
    scripts: usize,
) -> Result<bool, SqlError> {
    const WHAT: &str = "looking for an earlier preparation";
    let table = format!("SELECT 'there' WHERE to_regclass('{MEMORY}.done') IS NOT NULL");
    if texts(connection, WHAT, table).await?.is_empty() {
        return Ok(false);
    }
    let count = format!("SELECT count(*) FROM {MEMORY}.done WHERE execution = $1");
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
        .bind(execution)
        .fetch_one(connection)
        .await
        .map_err(|error| failed(WHAT, &error))?;
    Ok(usize::try_from(count).is_ok_and(|count| count >= scripts))
}

pub(super) async fn forget(server: &Server) -> Result<(), SqlError> {
    let mut connection = connect(server, None).await?;
    let drop = format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {MEMORY} CASCADE");
    execute(
        &mut connection,
        "removing the memory of the preparation",
        drop,
    )
    .await
}

pub(super) async fn verify(server: &Server, scripts: &[String]) -> Result<Vec<Answer>, SqlError> {
    let mut connection = connect(server, None).await?;
    let only_read = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY".to_owned();
    execute(&mut connection, "a session that only reads", only_read).await?;
    let mut answers = Vec::new();
    for script in scripts {
        answers.extend(run(&mut connection, server.dialect, script).await?);
    }
    Ok(answers)
}

/// Every database that anybody can get into.
async fn databases(connection: &mut PgConnection) -> Result<Vec<String>, SqlError> {
    let list = format!(
        "SELECT datname::text FROM pg_database WHERE datallowconn AND datname <> '{OF_RDS}' ORDER BY 1"
    );
    texts(connection, "listing the databases", list).await
}

/// Connects to one of several databases.
async fn enter(server: &Server, database: &str) -> Result<PgConnection, SqlError> {
    let entered = connect(server, Some(database)).await;
    entered.map_err(|error| match error {
        SqlError::Refused(why) => SqlError::Refused(format!("in the database {database}: {why}")),
        passing => passing,
    })
}

/// Partitions belong to their table; a materialized view and a foreign table hold or show data.
pub(super) async fn columns(server: &Server) -> Result<Vec<Column>, SqlError> {
    const WHAT: &str = "listing the columns";
    let list = format!(
        "SELECT current_database()::text, nspname::text, relname::text, attname::text
         FROM pg_attribute
         JOIN pg_class ON pg_class.oid = attrelid
         JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'm', 'f') AND NOT relispartition
           AND nspname NOT IN ('pg_catalog', 'information_schema', '{MEMORY}')
           AND nspname !~ '^pg_(toast|temp)'
         ORDER BY 2, 3, attnum"
    );
    let mut columns = Vec::new();
    for database in databases(&mut connect(server, None).await?).await? {
        let mut connection = enter(server, &database).await?;
        let found: Vec<(String, String, String, String)> =
            sqlx::query_as(AssertSqlSafe(list.clone()))
                .fetch_all(&mut connection)
                .await
                .map_err(|error| failed(WHAT, &error))?;
        columns.extend(
            found
                .into_iter()
                .map(|(database, schema, table, name)| Column {
                    database,
                    schema,
                    table,
                    name,
                }),
        );
    }
    Ok(columns)
}

/// Subscriptions go, without a word to their publisher, whose slot the original uses; with them go
/// the credentials that they connect with. Slots of logical decoding go; physical ones belong to
/// the restored database's own replicas. Jobs of pg_cron stay, inactive.
pub(super) async fn quarantine(server: &Server) -> Result<Vec<String>, SqlError> {
    let mut done = Vec::new();
    for database in databases(&mut connect(server, None).await?).await? {
        let mut connection = enter(server, &database).await?;
        done.extend(subscriptions(&mut connection, &database).await?);
        done.extend(jobs(&mut connection, &database).await?);
    }
    done.extend(slots(&mut connect(server, None).await?).await?);
    Ok(done)
}

async fn subscriptions(
    connection: &mut PgConnection,
    database: &str,
) -> Result<Vec<String>, SqlError> {
    const HERE: &str = "FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    const WHAT: &str = "listing the subscriptions";
    let names = texts(
        connection,
        WHAT,
        format!("SELECT subname::text {HERE} ORDER BY subname"),
    )
    .await?;
    let ends = format!(
        "SELECT format('ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET (slot_name = NONE); \
                        DROP SUBSCRIPTION %1$I', subname)
         {HERE} ORDER BY subname"
    );
    let ends = texts(connection, WHAT, ends).await?;
    for (name, end) in names.iter().zip(ends) {
        execute(
            connection,
            &format!("dropping the subscription {name} of {database}"),
            end,
        )
        .await?;
    }
    let said = names
        .iter()
        .map(|name| format!("subscription {name} of {database}: dropped"));
    Ok(said.collect())
}

async fn jobs(connection: &mut PgConnection, database: &str) -> Result<Vec<String>, SqlError> {
    const WHAT: &str = "switching off the jobs of pg_cron";
    let table = "SELECT 'there' WHERE to_regclass('cron.job') IS NOT NULL".to_owned();
    if texts(connection, WHAT, table).await?.is_empty() {
        return Ok(Vec::new());
    }
    let update = "UPDATE cron.job SET active = false WHERE active RETURNING jobid::text".to_owned();
    let jobs = texts(connection, WHAT, update).await?;
    let left = texts(
        connection,
        WHAT,
        "SELECT jobid::text FROM cron.job WHERE active".to_owned(),
    );
    if !left.await?.is_empty() {
        return Err(SqlError::Refused(format!("{WHAT}: some stay active")));
    }
    Ok(jobs
        .iter()
        .map(|job| format!("pg_cron's job {job} of {database}: inactive"))
        .collect())
}

async fn slots(connection: &mut PgConnection) -> Result<Vec<String>, SqlError> {
    const LOGICAL: &str = "FROM pg_replication_slots WHERE slot_type = 'logical'";
    const WHAT: &str = "dropping the replication slots";
    let end = format!(
        "SELECT pg_terminate_backend(active_pid)::text {LOGICAL} AND active_pid IS NOT NULL"
    );
    texts(connection, WHAT, end).await?;
    let names = texts(
        connection,
        WHAT,
        format!("SELECT slot_name::text {LOGICAL} ORDER BY 1"),
    )
    .await?;
    for name in &names {
        sqlx::query("SELECT pg_drop_replication_slot($1)")
            .bind(name)
            .execute(&mut *connection)
            .await
            .map_err(|error| failed(WHAT, &error))?;
    }
    Ok(names
        .iter()
        .map(|name| format!("replication slot {name}: dropped"))
        .collect())
}
