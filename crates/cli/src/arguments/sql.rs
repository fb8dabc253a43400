//! The flags of the user's own SQL.

use camino::Utf8PathBuf;
use clap::Args;

/// SQL that runs in the restored database before it gets the name.
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// Run this file's SQL in the restored database before anybody can reach it by name, for
    /// instance to mask it (PostgreSQL: all files in one transaction). SQL is kept in the journal:
    /// no secrets in it. Logs in with --credentials, else TRAPHEUS_VERIFY_PASSWORD or the secret of
    /// TRAPHEUS_VERIFY_SECRET, else the master password's secret
    #[arg(long, value_name = "FILE")]
    pub prepare: Vec<Utf8PathBuf>,
    /// Run this file's SQL after that: every statement must return rows that are all true, or the
    /// restore is rolled back
    #[arg(long, value_name = "FILE")]
    pub verify: Vec<Utf8PathBuf>,
    /// Stop before the swap when a column of this name is not changed by the --prepare files
    /// (comma-separated): a part of the name, or a pattern with `*`; of all databases in the server
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub require_masked: Vec<String>,
    /// Switch off in the restored database what would act on the outside world: subscriptions,
    /// replication slots, jobs of pg_cron; events and replication of MySQL
    #[arg(long)]
    pub quarantine: bool,
    /// The database in the server that the SQL runs in (default: the login's, else the first)
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// The secret of Secrets Manager that the SQL logs in with
    #[arg(long, value_name = "SECRET")]
    pub credentials: Option<String>,
}
