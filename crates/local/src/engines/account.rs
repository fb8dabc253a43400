//! The user that server processes run as.
//!
//! A database server never runs as root. When the control plane runs as root, servers and their data belong to the user
//! that the engine's package makes (`postgres`, `mysql`), or to `nobody` where there is no such user; otherwise to
//! whoever runs it.

use std::os::unix::fs::{MetadataExt, chown};

use camino::Utf8Path;
use nix::unistd::{Uid, User};
use tokio::process::Command;

use super::EngineError;

/// Stands in for root where the engine has no user of its own.
const NOBODY: &str = "nobody";

/// Who runs the servers and owns their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// The control plane isn't root: its own user.
    Own,
    /// The control plane is root: this user instead.
    Unprivileged { user: u32, group: u32 },
}

impl Account {
    /// Finds the user that servers of this process run as; `preferred` is the engine's own.
    pub(super) fn find(preferred: &str) -> Result<Self, EngineError> {
        if !Uid::effective().is_root() {
            return Ok(Self::Own);
        }
        [preferred, NOBODY]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .filter(|user| !user.uid.is_root())
            .map(|user| Self::Unprivileged {
                user: user.uid.as_raw(),
                group: user.gid.as_raw(),
            })
            .ok_or_else(|| EngineError::Failed {
                action: "finding an unprivileged user".to_owned(),
                reason: format!(
                    "a server does not run as root, and neither `{preferred}` nor `{NOBODY}` exists"
                ),
            })
    }

    /// Makes a program run as this user, without root's supplementary groups.
    pub(super) fn apply(self, command: &mut Command) {
        match self {
            Self::Own => {}
            Self::Unprivileged { user, group } => {
                command.uid(user).gid(group);
            }
        }
    }

    /// User and group that files must be given to, where they aren't right by themselves.
    pub(super) fn owner(self) -> Option<(u32, u32)> {
        match self {
            Self::Own => None,
            Self::Unprivileged { user, group } => Some((user, group)),
        }
    }

    /// Gives one path to this user.
    pub(super) fn own(self, path: &Utf8Path) -> std::io::Result<()> {
        match self.owner() {
            None => Ok(()),
            Some((user, group)) => chown(path, Some(user), Some(group)),
        }
    }

    /// Numeric id of the user.
    pub(super) fn user_id(self) -> u32 {
        match self {
            Self::Own => Uid::effective().as_raw(),
            Self::Unprivileged { user, .. } => user,
        }
    }

    /// Checks that the user may pass through every folder above the path. Root's home is closed to others, for
    /// instance; the servers' own messages for that name the wrong folder, or none.
    pub(super) fn check_reach(self, path: &Utf8Path) -> Result<(), EngineError> {
        let Self::Unprivileged { user, group } = self else {
            return Ok(());
        };
        let closed = path.ancestors().skip(1).find(|folder| {
            std::fs::metadata(folder).is_ok_and(|metadata| {
                let execute = if metadata.uid() == user {
                    0o100
                } else if metadata.gid() == group {
                    0o010
                } else {
                    0o001
                };
                metadata.mode() & execute == 0
            })
        });
        match closed {
            None => Ok(()),
            Some(folder) => Err(EngineError::Directory {
                directory: path.to_owned(),
                reason: format!(
                    "the server does not run as root but as user {user}, which may not enter {folder}; \
                     choose a directory that every user may pass through, such as one under /var/lib"
                ),
            }),
        }
    }
}
