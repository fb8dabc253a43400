//! `trapheus demo`: a database is filled, snapshotted, damaged and put back while a client works.
//!
//! Nothing here is staged: local RDS runs as a process of its own, PostgreSQL is real, and every
//! step is the command that a user would type, run as a child of this process. [`database`] makes
//! and reads the data, [`traffic`] is the client, [`stage`] is what has to be there and go away.

mod database;
mod stage;
mod traffic;

use std::time::Instant;

use serde_json::{Value, json};

use self::database::{Contents, Endpoint, IDENTIFIER};
use self::stage::Stage;
use self::traffic::{Experience, Traffic};
use crate::arguments;
use crate::error::Failure;
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
    after: Contents,
    endpoint_before: Endpoint,
    endpoint_after: Endpoint,
    experience: Experience,
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

    chapter(
        1,
        "A database: `orders`, PostgreSQL, with settings of its own",
    );
    let endpoint_before = database::create(stage.rds()).await?;
    printer.say(&format!("   it answers at {}", endpoint_before.shown()));
    printer.say(&format!("   loading {} rows …", demo.rows));
    endpoint_before.fill(demo.rows).await?;
    let at_snapshot = endpoint_before.contents().await?;
    printer.say(&format!("   {}", at_snapshot.shown()));

    chapter(
        2,
        "A client writes and reads through the endpoint, from now to the end",
    );
    let traffic = Traffic::start(endpoint_before.options());

    chapter(3, "A snapshot");
    stage.trapheus(&["snapshot", IDENTIFIER]).await?;

    chapter(
        4,
        "A bad migration: every third order is gone, every amount is wrong",
    );
    endpoint_before.damage().await?;
    let damaged = endpoint_before.contents().await?;
    printer.say(&format!("   {}", damaged.shown()));

    chapter(5, "The restore");
    let started = Instant::now();
    let strategy = demo.strategy.name();
    let restore = stage
        .trapheus(&["restore", IDENTIFIER, "--strategy", strategy])
        .await?;
    let restore_seconds = started.elapsed().as_secs_f64();

    chapter(6, "What it is now");
    let endpoint_after = database::endpoint(stage.rds()).await?;
    let after = endpoint_after.contents().await?;
    let experience = traffic.stop().await;
    Ok(Figures {
        at_snapshot,
        damaged,
        after,
        endpoint_before,
        endpoint_after,
        experience,
        restore_seconds,
        restore,
    })
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
    /// The data and the endpoint are what they were, or the demo has failed.
    fn verdict(&self) -> Exit {
        let as_before =
            self.after == self.at_snapshot && self.endpoint_after == self.endpoint_before;
        if as_before && self.damaged != self.at_snapshot {
            Exit::Succeeded
        } else {
            Exit::Failed
        }
    }

    fn document(&self) -> Value {
        json!({
            "rowsAtSnapshot": self.at_snapshot.rows,
            "rowsDamaged": self.damaged.rows,
            "rowsAfter": self.after.rows,
            "checksumAtSnapshot": self.at_snapshot.checksum,
            "checksumDamaged": self.damaged.checksum,
            "checksumAfter": self.after.checksum,
            "endpointBefore": self.endpoint_before,
            "endpointAfter": self.endpoint_after,
            "clientOutageSeconds": self.experience.longest_gap.as_secs_f64(),
            "clientWrites": self.experience.writes,
            "clientReads": self.experience.reads,
            "clientErrors": self.experience.errors,
            "restoreSeconds": self.restore_seconds,
            "fidelity": self.restore["fidelity"],
            "restore": self.restore,
        })
    }

    fn text(&self) -> String {
        let fidelity = &self.restore["fidelity"];
        let same = |equal: bool| if equal { "the same" } else { "DIFFERENT" };
        let lines = [
            format!("   at the snapshot   {}", self.at_snapshot.shown()),
            format!("   damaged           {}", self.damaged.shown()),
            format!("   after             {}", self.after.shown()),
            format!(
                "   endpoint          {} ({})",
                self.endpoint_after.shown(),
                same(self.endpoint_after == self.endpoint_before)
            ),
            format!(
                "   configuration     {} of {} settings kept",
                fidelity["kept"], fidelity["compared"]
            ),
            format!(
                "   the client        {} writes, {} reads; its longest wait was {:.2} s",
                self.experience.writes,
                self.experience.reads,
                self.experience.longest_gap.as_secs_f64()
            ),
            format!("   the restore       took {:.1} s", self.restore_seconds),
        ];
        lines.join("\n")
    }
}
