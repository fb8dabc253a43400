//! Measures physical snapshot and restore against dump and restore, and against the limit: two plain copies.
//!
//! ```text
//! cargo xtask bench snapshot --mib 2048 --rounds 3 --directory /tmp
//! ```
//! All sides copy the same data in one run, and every one begins with nothing left to write to the disk. The directory
//! needs room for about five times the size and must be one that every user may enter. With
//! `RUST_LOG=trapheus_local=debug` the standard error says where the time within a snapshot goes.
#![expect(clippy::print_stdout, reason = "the table is what the program is for")]

use std::collections::BTreeMap;
use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use trapheus_local::engines::postgres::Postgres;
use trapheus_local::engines::{Backend, Engine, Secret, ServerSpec, StopMode};

type Outcome<T> = Result<T, Box<dyn Error>>;

const MIB: u64 = 1024 * 1024;
const MASTER: &str = "admin";
const PASSWORD: &str = "measured-here-only";
const DATABASE: &str = "orders";

/// Rows inserted at a time until the database is large enough; with its indexes a row has about 330 bytes.
const BATCH: &str = "INSERT INTO orders (customer, status, placed_at, amount, note)
    SELECT (random() * 1000000)::int, (ARRAY['new','paid','sent','done'])[1 + i % 4],
           timestamptz '2026-01-01' + i * interval '1 second', (random() * 10000)::numeric(10, 2),
           md5(i::text) || md5((i + 1)::text) || md5((i + 2)::text) || md5((i + 3)::text)
      FROM generate_series(1, 200000) AS i";

const SCHEMA: &str = "CREATE TABLE orders (
    id bigserial PRIMARY KEY, customer int, status text, placed_at timestamptz, amount numeric, note text);
    CREATE INDEX ON orders (customer); CREATE INDEX ON orders (placed_at); CREATE INDEX ON orders (amount)";

/// What the command line asks for.
struct Arguments {
    mib: u64,
    rounds: usize,
    directory: Utf8PathBuf,
}

/// One line of the table: the times of its rounds.
struct Line {
    what: &'static str,
    seconds: Vec<f64>,
}

#[tokio::main]
async fn main() -> Outcome<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = arguments()?;
    let place = tempfile::Builder::new()
        .prefix("trapheus-bench-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir_in(&arguments.directory)?;
    let root = Utf8Path::from_path(place.path()).ok_or("the directory's name is not text")?;
    let result = measure(root, &arguments).await;
    for server in ["source", "restored", "reloaded"] {
        Postgres::new().remove(&root.join(server)).await?;
    }
    result
}

fn arguments() -> Outcome<Arguments> {
    let mut arguments = Arguments {
        mib: 2048,
        rounds: 3,
        directory: "/tmp".into(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(name) = words.next() {
        if name == "--bench" {
            continue; // cargo says so to every benchmark
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--mib" => arguments.mib = value.parse()?,
            "--rounds" => arguments.rounds = value.parse()?,
            "--directory" => arguments.directory = value.into(),
            _ => return Err(format!("unknown argument {name}").into()),
        }
    }
    Ok(arguments)
}

async fn measure(root: &Utf8Path, arguments: &Arguments) -> Outcome<()> {
    let engine = Postgres::new();
    let source = spec(root, "source").await?;
    engine.create(&source).await?;
    engine.start(&source).await?;
    let bytes = load(&source, arguments.mib * MIB).await?;
    let data = source.directory.join("data");
    println!(
        "database     {:>8.0} MiB, data directory {:.0} MiB",
        mib(bytes),
        mib(directory_bytes(&data)?)
    );

    let mut lines = Vec::new();
    let mut plain = Line::new("two plain copies (cp -a)");
    let mut flushed = Line::new("two plain copies, flushed");
    let mut snapshot = Line::new("  snapshot, on the disk");
    let mut restore = Line::new("  restore: copying");
    let mut start = Line::new("  restore: first start to login");
    let mut physical = Line::new("physical snapshot and restore");
    for _ in 0..arguments.rounds {
        let (copying, flushing) = plain_copies(root, &data)?;
        plain.add(copying);
        flushed.add(copying + flushing);
        let times = physical_copy(root, &source).await?;
        snapshot.add(times[0]);
        restore.add(times[1]);
        start.add(times[2]);
        physical.add(times.iter().sum());
    }
    lines.extend([plain, flushed, physical, snapshot, restore, start]);
    let limit = lines[0].median();
    lines.extend(dump_and_restore(root, &source).await?);
    table(&lines, limit);
    Ok(())
}

async fn spec(root: &Utf8Path, name: &str) -> Outcome<ServerSpec> {
    let versions = Postgres::new().versions().await?;
    Ok(ServerSpec {
        resource_id: format!("db-{}", name.to_uppercase()),
        directory: root.join(name),
        engine: "postgres".to_owned(),
        engine_version: versions
            .last()
            .ok_or("PostgreSQL is not installed")?
            .clone(),
        master_username: MASTER.to_owned(),
        master_password: Secret::new(PASSWORD),
        database: Some(DATABASE.to_owned()),
        parameters: BTreeMap::new(),
        allocated_storage_gib: 20,
    })
}

async fn connect(spec: &ServerSpec) -> Outcome<PgConnection> {
    let options = PgConnectOptions::new_without_pgpass()
        .socket(socket_directory(spec)?)
        .username(MASTER)
        .password(PASSWORD)
        .database(DATABASE)
        .disable_statement_logging();
    Ok(options.connect().await?)
}

fn socket_directory(spec: &ServerSpec) -> Outcome<Utf8PathBuf> {
    match Postgres::new().backend(spec) {
        Backend::UnixSocket(socket) => Ok(socket
            .parent()
            .ok_or("a socket is in a directory")?
            .to_owned()),
        Backend::Notice(_) | Backend::Simulated => Err("a PostgreSQL server has a socket".into()),
    }
}

/// Fills the database, then lets the server throw away the log of that: it isn't the data that is to be copied.
async fn load(spec: &ServerSpec, bytes_wanted: u64) -> Outcome<u64> {
    let mut connection = connect(spec).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
    let bytes = loop {
        sqlx::query(BATCH).execute(&mut connection).await?;
        let bytes: i64 = sqlx::query_scalar("SELECT pg_database_size(current_database())")
            .fetch_one(&mut connection)
            .await?;
        let bytes = u64::try_from(bytes)?;
        if bytes >= bytes_wanted {
            break bytes;
        }
    };
    sqlx::raw_sql("VACUUM ANALYZE orders")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    let mut small = spec.clone();
    for (name, value) in [("max_wal_size", "64MB"), ("min_wal_size", "32MB")] {
        small.parameters.insert(name.to_owned(), value.to_owned());
    }
    let engine = Postgres::new();
    engine.reconfigure(&small).await?;
    let mut connection = connect(spec).await?;
    for _ in 0..3 {
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
    }
    connection.close().await?;
    engine.reconfigure(spec).await?;
    Ok(bytes)
}

fn plain_copies(root: &Utf8Path, data: &Utf8Path) -> Outcome<(Duration, Duration)> {
    let (first, second) = (root.join("copy-1"), root.join("copy-2"));
    flush(root)?;
    let begun = Instant::now();
    run(Command::new("cp").arg("-a").arg(data).arg(&first))?;
    run(Command::new("cp").arg("-a").arg(&first).arg(&second))?;
    let copying = begun.elapsed();
    let begun = Instant::now();
    flush(root)?;
    let flushing = begun.elapsed();
    std::fs::remove_dir_all(first)?;
    std::fs::remove_dir_all(second)?;
    Ok((copying, flushing))
}

/// Snapshot, restore and first start; a login is the end of it.
async fn physical_copy(root: &Utf8Path, source: &ServerSpec) -> Outcome<[Duration; 3]> {
    let engine = Postgres::new();
    let snapshot = root.join("snapshot");
    let restored = spec(root, "restored").await?;
    flush(root)?;
    let begun = Instant::now();
    engine.snapshot(source, &snapshot, &|_| ()).await?;
    let taken = begun.elapsed();
    engine.restore(&snapshot, &restored, &|_| ()).await?;
    let copied = begun.elapsed();
    engine.start(&restored).await?;
    connect(&restored).await?.close().await?;
    let started = begun.elapsed();
    engine.stop(&restored, StopMode::Immediate).await?;
    engine.remove(&restored.directory).await?;
    engine.remove(&snapshot).await?;
    Ok([taken, copied - taken, started - copied])
}

async fn dump_and_restore(root: &Utf8Path, source: &ServerSpec) -> Outcome<Vec<Line>> {
    let engine = Postgres::new();
    let reloaded = spec(root, "reloaded").await?;
    engine.create(&reloaded).await?;
    engine.start(&reloaded).await?;
    let file = root.join("dump");
    flush(root)?;
    let begun = Instant::now();
    run(client("pg_dump", source)?.args(["-Fc", "-f", file.as_str(), DATABASE]))?;
    let dumped = begun.elapsed();
    run(client("pg_restore", &reloaded)?.args(["-j2", "-d", DATABASE, file.as_str()]))?;
    let restored = begun.elapsed();
    let mut lines = vec![
        Line::new("pg_dump -Fc and pg_restore -j2"),
        Line::new("  pg_dump -Fc"),
        Line::new("  pg_restore -j2"),
    ];
    for (line, time) in lines.iter_mut().zip([restored, dumped, restored - dumped]) {
        line.add(time);
    }
    Ok(lines)
}

fn client(program: &str, spec: &ServerSpec) -> Outcome<Command> {
    let mut command = Command::new(program);
    command.env("PGPASSWORD", PASSWORD).args([
        "-h",
        socket_directory(spec)?.as_str(),
        "-U",
        MASTER,
    ]);
    Ok(command)
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} failed: {status}").into())
}

fn flush(directory: &Utf8Path) -> Outcome<()> {
    run(Command::new("sync").arg("-f").arg(directory))
}

fn directory_bytes(directory: &Utf8Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in directory.read_dir_utf8()? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            directory_bytes(entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

#[expect(clippy::cast_precision_loss, reason = "shown without decimals")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}

impl Line {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            seconds: Vec::new(),
        }
    }

    fn add(&mut self, time: Duration) {
        self.seconds.push(time.as_secs_f64());
    }

    fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}

fn table(lines: &[Line], limit: f64) {
    println!("{:<34} {:>9} {:>9}   rounds", "", "seconds", "x limit");
    for line in lines {
        let rounds: Vec<String> = line
            .seconds
            .iter()
            .map(|seconds| format!("{seconds:.2}"))
            .collect();
        println!(
            "{:<34} {:>9.2} {:>9.2}   {}",
            line.what,
            line.median(),
            line.median() / limit,
            rounds.join(" ")
        );
    }
}
