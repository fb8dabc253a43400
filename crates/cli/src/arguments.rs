//! The command line: every command, flag and their help.

mod sql;
mod targets;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;

use crate::engines::Until;
use crate::exit;
pub(crate) use sql::Sql;
pub(crate) use targets::Targets;

/// Puts a database back from a snapshot, behind the same name.
#[derive(Debug, Parser)]
#[command(
    name = "trapheus",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = exit::TABLE,
    after_long_help = LONG_HELP
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const LONG_HELP: &str = "\
Begin with:
  trapheus demo                         the whole story on this machine, with a real PostgreSQL
  trapheus doctor                       what is missing, and how to get it
  trapheus plan orders                  what a restore of `orders` would do; changes nothing
  trapheus restore orders               do it

A restore makes the new database beside the original, gives it the original's whole configuration,
verifies it, swaps the names and deletes the original. If anything fails, the original answers at
its name again.

Exit codes:
  0  succeeded
  1  failed and rolled back: the original answers at its name
  2  wrong use, or refused by a pre-flight check: nothing was changed
  3  the roll-back failed: a person is needed, the report holds the commands
  4  stopped or interrupted: `trapheus executions resume` goes on
  5  succeeded with something left over";

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// How the result is written to standard output; messages go to standard error
    #[arg(long, global = true, value_enum, default_value_t = Output::Text, env = "TRAPHEUS_OUTPUT")]
    pub output: Output,
    /// Say nothing but the result and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Where executions and logs are kept
    #[arg(long, global = true, env = "TRAPHEUS_HOME", value_name = "DIR")]
    pub home: Option<Utf8PathBuf>,
    /// Settings file (default: trapheus.toml here, if there is one)
    #[arg(long, global = true, env = "TRAPHEUS_CONFIG", value_name = "FILE")]
    pub config: Option<Utf8PathBuf>,
    /// AWS Region
    #[arg(long, global = true, value_name = "REGION")]
    pub region: Option<String>,
    /// AWS profile
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Talk to this RDS instead of AWS, for instance one that `trapheus local up` started
    #[arg(long, global = true, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    pub endpoint_url: Option<String>,
}

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs: one document
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole story on local RDS with a real PostgreSQL
    Demo(Demo),
    /// Show what a restore would do: names, snapshot, configuration, checks, outage
    Plan(Plan),
    /// Put the database back from a snapshot
    Restore(Start),
    /// Take a snapshot first, then restore from it
    Refresh(Start),
    /// Take a snapshot only
    Snapshot(SnapshotOnly),
    /// Start whatever an input document asks for
    Start(StartInput),
    /// List, show, watch, resume and stop executions
    Executions(ExecutionsOf),
    /// Swap back to the original that an execution kept, or undo an unfinished execution
    Rollback(Rollback),
    /// Run an RDS-compatible server on this machine, with real databases behind it
    #[command(subcommand)]
    Local(Local),
    /// Say what is missing and how to get it
    Doctor(Doctor),
    /// Print a shell's completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What shapes a restore.
#[derive(Debug, Args)]
pub(crate) struct Shape {
    /// Restore from this snapshot: an id, an ARN, or `latest` (automated ones included)
    /// (default: the newest `<id>-snapshot`, or one that trapheus made)
    #[arg(long, value_name = "SNAPSHOT")]
    pub snapshot: Option<String>,
    /// Restore to this moment instead (RFC 3339, or `latest`), from backups and logs
    #[arg(long, value_name = "TIME", conflicts_with = "snapshot")]
    pub time: Option<String>,
    /// Take the data from a snapshot, or the backups, of this database instead
    #[arg(long, value_name = "SOURCE")]
    pub from: Option<String>,
    /// When the original leaves its name
    #[arg(long, value_enum)]
    pub strategy: Option<Strategy>,
    /// Keep the original for this long (for instance 24h, 90m, 2d); `trapheus rollback` swaps back
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    pub keep_original: Option<u64>,
    /// Roll back when the restored database is not ready for the name after this long (default: 11h
    /// and 4m per GiB; each step has a limit of its own besides)
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    pub time_limit: Option<u64>,
    /// What becomes of an original that an earlier execution still keeps (default: refuse)
    #[arg(long, value_enum, value_name = "WHAT")]
    pub kept_original: Option<KeptOriginal>,
    /// How many of the snapshots that trapheus made to keep (default: 1)
    #[arg(long, value_name = "N")]
    pub keep_snapshots: Option<u32>,
    /// Take this last snapshot of the original before it is deleted
    #[arg(long, value_name = "SNAPSHOT")]
    pub final_snapshot: Option<String>,
    /// What becomes of the original's automated backups when it is deleted (default: keep)
    #[arg(long, value_enum, value_name = "WHAT")]
    pub automated_backups: Option<AutomatedBackups>,
    /// The master password afterwards: `keep-snapshot`, `managed` (by RDS, in a new secret), or the
    /// ARN of a secret that holds it (default: managed where it was, else the snapshot's)
    #[arg(long, value_name = "WHICH")]
    pub master_password: Option<String>,
    /// Make the target where it does not exist, like the blueprint that its snapshot carries
    #[arg(long)]
    pub create_if_missing: bool,
    /// Make it like this blueprint, which `trapheus plan --save` has written
    #[arg(long, value_name = "FILE")]
    pub blueprint: Option<Utf8PathBuf>,
    /// What becomes of replicas in other Regions (default: refuse)
    #[arg(long, value_enum, value_name = "WHAT")]
    pub cross_region_replicas: Option<CrossRegionReplicas>,
    /// Attributes that may be lost (comma-separated), by the names of the fidelity report
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub allow_lost: Vec<String>,
    /// Tell these as well (comma-separated): channels of the settings by name, e-mail addresses
    #[arg(long, value_name = "WHO", value_delimiter = ',')]
    pub notify: Vec<String>,
    /// Tell of these only (comma-separated): succeeded, left_over, failed, refused,
    /// rollback_failed, long_running
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub notify_on: Vec<String>,
    #[command(flatten)]
    pub sql: Sql,
    #[command(flatten)]
    pub elsewhere: Targets,
    /// The target is a cluster (found out when left out; a wrong one is an error)
    #[arg(long, value_name = "BOOL", hide = true)]
    pub is_cluster: Option<bool>,
}

/// When the original leaves its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Strategy {
    /// At the end: the outage is two renames
    Swap,
    /// At the beginning: nothing is written to the original while the restore runs
    InPlace,
}

impl Strategy {
    /// The word of the input document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Swap => "swap",
            Self::InPlace => "in_place",
        }
    }
}

/// What becomes of an original that an earlier execution still keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeptOriginal {
    /// It is deleted when its name is needed
    Delete,
    /// It gets a name of its own and is yours from then on
    Release,
}

impl KeptOriginal {
    /// The word of the input document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Release => "release",
        }
    }
}

/// What becomes of automated backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AutomatedBackups {
    /// They stay until their retention is over
    Keep,
    /// They are deleted with the original
    Delete,
}

impl AutomatedBackups {
    /// The word of the input document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Delete => "delete",
        }
    }
}

/// What becomes of replicas in other Regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrossRegionReplicas {
    /// They stay with the original, and stop following the name
    Leave,
}

impl CrossRegionReplicas {
    /// The word of the input document.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
        }
    }
}

/// How an execution is followed.
#[derive(Debug, Default, Args)]
pub(crate) struct Follow {
    /// Print one event a line as JSON while it runs (with --output json)
    #[arg(long)]
    pub events: bool,
    /// Stay until the kept original has been deleted, too
    #[arg(long)]
    pub wait: bool,
    /// Type the identifier of a protected target here to start without a prompt
    #[arg(long, value_name = "ID")]
    pub confirm: Option<String>,
    #[command(flatten)]
    pub engine: EngineChoice,
}

impl Follow {
    /// How long it is followed.
    pub(crate) fn until(&self) -> Until {
        Until::of(self.wait)
    }
}

/// Who runs the state machine.
#[derive(Debug, Default, Args)]
pub(crate) struct EngineChoice {
    /// Which engine runs the state machine (default: embedded)
    #[arg(
        long,
        global = true,
        value_enum,
        env = "TRAPHEUS_ENGINE",
        value_name = "ENGINE"
    )]
    pub engine: Option<EngineKind>,
    /// The state machine in Step Functions, by its name or its ARN (default: trapheus-restore)
    #[arg(
        long,
        global = true,
        env = "TRAPHEUS_STATE_MACHINE",
        value_name = "NAME|ARN"
    )]
    pub state_machine: Option<String>,
}

/// The engines that run the state machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EngineKind {
    /// The durable engine inside this binary
    Embedded,
    /// AWS Step Functions, where `trapheus deploy` has put the state machine
    StepFunctions,
}

/// `trapheus demo`
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// What kind of database the story is about
    #[arg(long, value_enum, default_value_t = DemoEngine::Postgres)]
    pub engine: DemoEngine,
    /// How many rows the database gets
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub rows: u64,
    /// When the original leaves its name
    #[arg(long, value_enum, default_value_t = Strategy::Swap)]
    pub strategy: Strategy,
    /// Leave the demo's files in this directory, for a look at them
    #[arg(long, value_name = "DIR")]
    pub keep: Option<Utf8PathBuf>,
}

/// What kind of database the demo is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoEngine {
    /// An instance, served by PostgreSQL
    Postgres,
    /// An instance, served by MariaDB
    Mariadb,
    /// A cluster of a writer and two readers, served by PostgreSQL
    AuroraPostgresql,
    /// A cluster of a writer and two readers, served by MariaDB
    AuroraMysql,
}

/// `trapheus plan`
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The database whose name and configuration are kept
    pub identifier: String,
    #[command(flatten)]
    pub shape: Shape,
    /// Plan a refresh: a new snapshot first
    #[arg(long)]
    pub refresh: bool,
    /// Write the target's blueprint into this file: enough to make it again when it is gone
    #[arg(long, value_name = "FILE")]
    pub save: Option<Utf8PathBuf>,
}

/// `trapheus restore` and `trapheus refresh`
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The database whose name and configuration are kept
    pub identifier: String,
    #[command(flatten)]
    pub shape: Shape,
    #[command(flatten)]
    pub follow: Follow,
}

/// `trapheus snapshot`
#[derive(Debug, Args)]
pub(crate) struct SnapshotOnly {
    /// The database
    pub identifier: String,
    /// How many of the snapshots that trapheus made to keep (default: 1)
    #[arg(long, value_name = "N")]
    pub keep_snapshots: Option<u32>,
    #[command(flatten)]
    pub follow: Follow,
}

/// `trapheus start`
#[derive(Debug, Args)]
pub(crate) struct StartInput {
    /// The input document (JSON); `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub input: Utf8PathBuf,
    #[command(flatten)]
    pub follow: Follow,
}

/// `trapheus executions`
#[derive(Debug, Args)]
pub(crate) struct ExecutionsOf {
    #[command(flatten)]
    pub engine: EngineChoice,
    #[command(subcommand)]
    pub command: Executions,
}

/// What is done with executions.
#[derive(Debug, Subcommand)]
pub(crate) enum Executions {
    /// List executions, newest first
    List {
        /// The newest of them only (default: all; in Step Functions 50, as each costs a call)
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Show one execution: its steps, result and, with --history, every event
    Show {
        /// The execution, or `last`
        execution: String,
        /// Every event of its history, as Step Functions shows it
        #[arg(long)]
        history: bool,
    },
    /// Follow an execution that runs, in another process or in Step Functions
    Watch {
        /// The execution, or `last`
        execution: String,
        /// Print one event a line as JSON
        #[arg(long)]
        events: bool,
    },
    /// Go on with a stopped or interrupted execution
    Resume {
        /// The execution, or `last`
        #[arg(required_unless_present = "all")]
        execution: Option<String>,
        /// All that are stopped or interrupted, kept originals whose time is over included
        #[arg(long, conflicts_with = "execution")]
        all: bool,
        /// Print one event a line as JSON
        #[arg(long)]
        events: bool,
        /// Stay until the kept original has been deleted, too
        #[arg(long)]
        wait: bool,
    },
    /// Stop an execution where it is; it can be resumed, or undone by `trapheus rollback`. Step
    /// Functions cannot pause: there it is ended and rolled back at once
    Stop {
        /// The execution, or `last`
        execution: String,
        /// Type the identifier of a protected target here to roll back without a prompt
        #[arg(long, value_name = "ID")]
        confirm: Option<String>,
    },
}

/// `trapheus rollback`
#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The execution, or `last`
    pub execution: String,
    #[command(flatten)]
    pub follow: Follow,
}

/// `trapheus doctor`
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Send a test to every channel of the settings, and say whether it arrived
    #[arg(long)]
    pub test_alert: bool,
    #[command(flatten)]
    pub engine: EngineChoice,
}

/// `trapheus local`
#[derive(Debug, Subcommand)]
pub(crate) enum Local {
    /// Start it and stay until Ctrl-C or `trapheus local down`
    Up {
        /// Where databases and snapshots live
        #[arg(long, value_name = "DIR", env = "TRAPHEUS_LOCAL")]
        data_dir: Utf8PathBuf,
        /// The address of the API; loopback only, port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:4510", value_name = "ADDR")]
        listen: std::net::SocketAddr,
        /// How long operations take
        #[arg(long, value_enum, default_value_t = Durations::Instant)]
        durations: Durations,
        /// With --durations aws: how many times faster than AWS
        #[arg(long, default_value_t = 1.0, value_name = "X")]
        time_scale: f64,
    },
    /// Say whether it runs, where, and what is in it
    Status {
        /// Where databases and snapshots live
        #[arg(long, value_name = "DIR", env = "TRAPHEUS_LOCAL")]
        data_dir: Utf8PathBuf,
    },
    /// Stop it and its databases; the data stays
    Down {
        /// Where databases and snapshots live
        #[arg(long, value_name = "DIR", env = "TRAPHEUS_LOCAL")]
        data_dir: Utf8PathBuf,
    },
}

/// How long local RDS takes for things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durations {
    /// As fast as this machine can
    Instant,
    /// As long as AWS, by size
    Aws,
}

/// Parses the process's arguments; wrong use ends the process with exit code 2.
pub(crate) fn parse() -> Arguments {
    Arguments::parse()
}

/// `24h`, `90m`, `2d`, or seconds as a plain number.
fn duration_seconds(text: &str) -> Result<u64, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(seconds);
    }
    let span: jiff::Span = text
        .parse()
        .map_err(|_| "write it as 24h, 90m, 2d or 1d12h".to_owned())?;
    let days_are_24_hours = jiff::SpanRelativeTo::days_are_24_hours();
    let duration = span
        .to_duration(days_are_24_hours)
        .map_err(|error| error.to_string())?;
    u64::try_from(duration.as_secs()).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_long_help_holds_the_table_of_exit_codes() {
        assert!(LONG_HELP.ends_with(exit::TABLE));
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration_seconds("24h"), Ok(86_400));
        assert_eq!(duration_seconds("1d12h"), Ok(129_600));
        assert_eq!(duration_seconds("90"), Ok(90));
        assert!(duration_seconds("-5m").is_err());
        assert!(duration_seconds("soon").is_err());
    }
}
