//! `trapheus demo`: a database is filled, snapshotted, damaged and put back while clients work.
//!
//! Nothing here is staged: local RDS runs as a process of its own, PostgreSQL and MariaDB are real,
//! and every step is the command that a user would type, run as a child of this process. [`kind`]
//! says what the kinds of databases have of their own, [`database`] creates one, [`session`] fills
//! and reads it, [`traffic`] is a client, [`stage`] is what has to be there and go away.

mod database;
mod kind;
mod session;
mod stage;
mod traffic;

use std::time::Instant;

use serde_json::{Value, json};

use self::database::{Endpoints, IDENTIFIER, READER, WRITER};
use self::kind::Dialect;
use self::session::{Contents, Endpoint, Session};
use self::stage::Stage;
use self::traffic::{Experience, Habit, Traffic};
use crate::arguments;
use crate::error::{Context, Failure};
use crate::exit::Exit;
use crate::printer::Printer;
use crate::settings::Settings;

/// Tells the story; everything that it started is gone afterwards, however it ends.
pub(crate) async fn run(
    demo: &arguments::Demo,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let mut stage = Stage::build(demo.keep.as_deref(), &settings.home.value, printer).await?;
    let told = tokio::select! {
        told = tell(demo, &stage, printer) => told,
        _interrupted = tokio::signal::ctrl_c() => Err(Failure {
            exit: Exit::Stopped,
            message: "interrupted".into(),
            hint: None,
        }),
    };
    let cleared = stage.clear().await;
    let figures = told?;
    cleared?;
    printer.result(&figures.document(), &figures.text());
    printer.hint("`trapheus executions show last` tells what the restore did");
    Ok(figures.verdict())
}

/// What the demo measures.
struct Figures {
    at_snapshot: Contents,
    damaged: Contents,
    /// What every endpoint serves after the restore.
    after: Vec<(String, Contents)>,
    before: Endpoints,
    now: Endpoints,
    client: Experience,
    /// The client of the reader endpoint, where there is one.
    reader: Option<Experience>,
    restore_seconds: f64,
    restore: Value,
}

async fn tell(demo: &arguments::Demo, stage: &Stage, printer: Printer) -> Result<Figures, Failure> {
    let chapter = |number: u8, text: &str| {
        printer.say(&format!(
            "\n{} {text}",
            console::style(format!("{number}.")).bold()
        ));
    };
    let (engine, dialect) = (demo.engine, demo.engine.dialect());
    let rows = i64::try_from(demo.rows)
        .map_err(|_| Failure::refused("--rows is more than a table can number"))?;

    let text = format!(
        "A database: `{IDENTIFIER}`, {}, with settings of its own",
        engine.described()
    );
    chapter(1, &text);
    let before = database::create(stage.rds(), engine).await?;
    let endpoint = before[WRITER].clone();
    printer.say(&format!("   it answers at {}", endpoint.shown()));
    printer.say(&format!("   loading {rows} rows …"));
    let mut session = connect(&endpoint, dialect).await?;
    session.fill(rows).await.context("load the rows")?;
    close(session).await?;
    let at_snapshot = contents(&endpoint, dialect).await?;
    printer.say(&format!("   {}", at_snapshot.shown()));

    chapter(
        2,
        "A client writes and reads through the endpoint, from now to the end",
    );
    let client = Traffic::start(endpoint.clone(), dialect, Habit::WritesAndReads);
    let reader = before.get(READER).map(|reader| {
        printer.say("   another one reads through the reader endpoint");
        Traffic::start(reader.clone(), dialect, Habit::Reads)
    });

    chapter(3, "A snapshot");
    stage.trapheus(&["snapshot", IDENTIFIER]).await?;

    chapter(
        4,
        "A bad migration: every third order is gone, every amount is wrong",
    );
    let mut session = connect(&endpoint, dialect).await?;
    session.damage().await.context("damage the rows")?;
    close(session).await?;
    let damaged = contents(&endpoint, dialect).await?;
    printer.say(&format!("   {}", damaged.shown()));

    chapter(5, "The restore");
    let started = Instant::now();
    let strategy = demo.strategy.name();
    let restore = stage
        .trapheus(&["restore", IDENTIFIER, "--strategy", strategy])
        .await?;
    let restore_seconds = started.elapsed().as_secs_f64();

    chapter(6, "What it is now");
    let now = database::endpoints(stage.rds(), engine).await?;
    let mut after = Vec::new();
    for (name, endpoint) in &now {
        after.push((name.clone(), contents(endpoint, dialect).await?));
    }
    let client = client.stop().await;
    let reader = match reader {
        Some(reader) => Some(reader.stop().await),
        None => None,
    };
    Ok(Figures {
        at_snapshot,
        damaged,
        after,
        before,
        now,
        client,
        reader,
        restore_seconds,
        restore,
    })
}

async fn connect(endpoint: &Endpoint, dialect: Dialect) -> Result<Session, Failure> {
    Session::open(endpoint, dialect)
        .await
        .context("connect to the database")
}

async fn close(session: Session) -> Result<(), Failure> {
    session.close().await.context("close the connection")
}

async fn contents(endpoint: &Endpoint, dialect: Dialect) -> Result<Contents, Failure> {
    let mut session = connect(endpoint, dialect).await?;
    let contents = session.contents().await.context("count the rows")?;
    close(session).await?;
    Ok(contents)
}

impl Endpoint {
    fn shown(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }
}

impl Contents {
    fn shown(&self) -> String {
        format!("{} rows, checksum {}", self.rows, self.checksum)
    }
}

impl Figures {
    /// The data and the endpoints are what they were, or the demo has failed.
    fn verdict(&self) -> Exit {
        let are_restored = self.strangers().next().is_none();
        if are_restored && self.now == self.before && self.damaged != self.at_snapshot {
            Exit::Succeeded
        } else {
            Exit::Failed
        }
    }

    /// The endpoints that do not serve what was in the snapshot.
    fn strangers(&self) -> impl Iterator<Item = &(String, Contents)> {
        self.after
            .iter()
            .filter(|(_, contents)| *contents != self.at_snapshot)
    }

    /// What the endpoint for writes serves.
    fn served(&self) -> &Contents {
        let writer = self.after.iter().find(|(name, _)| name == WRITER);
        writer.map_or(&self.damaged, |(_, contents)| contents)
    }

    fn document(&self) -> Value {
        json!({
            "rowsAtSnapshot": self.at_snapshot.rows,
            "rowsDamaged": self.damaged.rows,
            "rowsAfter": self.served().rows,
            "checksumAtSnapshot": self.at_snapshot.checksum,
            "checksumDamaged": self.damaged.checksum,
            "checksumAfter": self.served().checksum,
            "endpointBefore": self.before[WRITER],
            "endpointAfter": self.now[WRITER],
            "endpointsBefore": self.before,
            "endpointsAfter": self.now,
            "endpointsWithOtherRows": self.strangers().map(|(name, _)| name).collect::<Vec<_>>(),
            "clientOutageSeconds": self.client.longest_gap.as_secs_f64(),
            "clientWrites": self.client.writes,
            "clientReads": self.client.reads,
            "clientErrors": self.client.errors,
            "readerOutageSeconds": self.reader.map(|reader| reader.longest_gap.as_secs_f64()),
            "readerReads": self.reader.map(|reader| reader.reads),
            "restoreSeconds": self.restore_seconds,
            "fidelity": self.restore["fidelity"],
            "restore": self.restore,
        })
    }

    fn text(&self) -> String {
        let fidelity = &self.restore["fidelity"];
        let same = |equal: bool| if equal { "the same" } else { "DIFFERENT" };
        let mut lines = vec![
            format!("   at the snapshot   {}", self.at_snapshot.shown()),
            format!("   damaged           {}", self.damaged.shown()),
            format!("   after             {}", self.served().shown()),
        ];
        for (name, endpoint) in &self.now {
            let is_same = self.before.get(name) == Some(endpoint);
            let found = self.after.iter().find(|(other, _)| other == name);
            let serves = found.is_some_and(|(_, contents)| *contents == self.at_snapshot);
            let rows = if serves {
                "the snapshot's rows"
            } else {
                "OTHER ROWS"
            };
            let endpoint = endpoint.shown();
            lines.push(format!(
                "   {name:<17} {endpoint} ({}, {rows})",
                same(is_same)
            ));
        }
        lines.push(format!(
            "   configuration     {} of {} settings kept",
            fidelity["kept"], fidelity["compared"]
        ));
        lines.push(format!(
            "   the client        {} writes, {} reads; its longest wait was {:.2} s",
            self.client.writes,
            self.client.reads,
            self.client.longest_gap.as_secs_f64()
        ));
        if let Some(reader) = &self.reader {
            lines.push(format!(
                "   the reader        {} reads; its longest wait was {:.2} s",
                reader.reads,
                reader.longest_gap.as_secs_f64()
            ));
        }
        lines.push(format!(
            "   the restore       took {:.1} s",
            self.restore_seconds
        ));
        lines.join("\n")
    }
}
