//! The flags of restores in other accounts and Regions.

use camino::Utf8PathBuf;
use clap::Args;

/// Restore the snapshot in other accounts and Regions, and nothing here.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Restore the snapshot in these accounts (comma-separated), in each of the --target-region; the
    /// databases here are not touched
    #[arg(long, value_name = "ACCOUNT", value_delimiter = ',')]
    pub target_account: Vec<String>,
    /// Restore the snapshot in these Regions (comma-separated; default: the snapshot's own)
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub target_region: Vec<String>,
    /// The role to assume in each of the accounts: a name, or an ARN whose account does not count
    #[arg(long, value_name = "ROLE")]
    pub target_role: Option<String>,
    /// The VPC there; its only subnet group is taken where none has the name of the one here
    #[arg(long, value_name = "VPC")]
    pub target_vpc: Option<String>,
    /// What differs from place to place, as JSON: the input's `targets`, a list of groups and keys by
    /// account and Region
    #[arg(long, value_name = "FILE")]
    pub targets: Option<Utf8PathBuf>,
    /// Share a copy under this key, where the snapshot's own key lets nobody else use it
    #[arg(long, value_name = "KEY")]
    pub share_key: Option<String>,
}
