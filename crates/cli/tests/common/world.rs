//! What one story sees: a local RDS with real PostgreSQL, a client of its API, a home of its own.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder;
use tempfile::TempDir;
use tokio::process::Command;

use super::local::LocalRds;
use super::trapheus::trapheus;

/// A local RDS that stories share. The last one to let go of it stops it as a user does.
struct Shared {
    local: Option<LocalRds>,
    endpoint_url: String,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(local) = self.local.take()
            && !std::thread::panicking()
        {
            local.down();
        }
    }
}

/// The world of one story. Databases of other stories may be in it, under other names.
pub(crate) struct World {
    shared: Arc<Shared>,
    /// A client of its API that was not written here.
    pub(crate) rds: Client,
    /// `TRAPHEUS_HOME`, and the directory that commands run in.
    pub(crate) home: TempDir,
}

impl World {
    /// A world with the local RDS that the stories of this file share.
    pub(crate) fn shared() -> Self {
        static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
        let mut current = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let world = current.upgrade().map_or_else(Self::own, Self::of);
        *current = Arc::downgrade(&world.shared);
        world
    }

    /// A world with a local RDS of its own.
    pub(super) fn own() -> Self {
        let local = LocalRds::up();
        Self::of(Arc::new(Shared {
            endpoint_url: local.endpoint_url.clone(),
            local: Some(local),
        }))
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self {
            rds: client(&shared.endpoint_url),
            home: TempDir::new().expect("there is room for a temporary directory"),
            shared,
        }
    }

    /// Where the API answers.
    pub(crate) fn endpoint_url(&self) -> &str {
        &self.shared.endpoint_url
    }

    /// `trapheus` as a user of this world types it. It ends when the story does.
    pub(crate) fn trapheus(&self, arguments: &[&str]) -> Command {
        let mut command = trapheus(self.home.path());
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", self.endpoint_url());
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }
}

fn client(endpoint_url: &str) -> Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "a story"))
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}
