//! Makes and removes the directories and files of servers, with exactly the rights that they need.

use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};

use camino::Utf8Path;
use rand::RngExt;
use rand::distr::Alphanumeric;

use super::EngineError;
use super::account::Account;
use super::layout::Layout;
use super::process::end_programs;
use super::program::failed;

const PASSWORD_LENGTH: usize = 32;

/// Makes the empty data directory of a new server, under its partial name, and the control plane's own password.
pub(super) fn make_server(layout: &Layout, account: Account) -> io::Result<String> {
    make_directory(layout.directory(), 0o755)?;
    let partial = layout.partial_data();
    remove_directory(&partial)?;
    make_directory(&partial, 0o700)?;
    account.own(&partial)?;
    let password: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(PASSWORD_LENGTH)
        .map(char::from)
        .collect();
    write_private(&layout.password(), &password)?;
    Ok(password)
}

/// Makes a directory with exactly these rights, whatever the process's umask is.
pub(super) fn make_directory(path: &Utf8Path, mode: u32) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Writes a file that only the control plane's user may read, from its first byte on.
pub(super) fn write_private(path: &Utf8Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// Removes a directory once none of these programs is at work in it any more.
pub(super) async fn clear(path: &Utf8Path, programs: &[&str]) -> Result<(), EngineError> {
    let action = "removing the directory";
    end_programs(programs, path).await.map_err(failed(action))?;
    let path = path.to_owned();
    // Gigabytes take a while to free.
    let removed = tokio::task::spawn_blocking(move || remove_directory(&path));
    removed
        .await
        .map_err(failed(action))?
        .map_err(failed(action))
}

/// Removes a directory with everything in it; nothing there is fine.
pub(super) fn remove_directory(path: &Utf8Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Anybody may write to /tmp, so a directory of that name which belongs to somebody else must not be used.
pub(super) fn make_socket_directory(layout: &Layout, account: Account) -> Result<(), EngineError> {
    let path = layout.socket_directory();
    let action = "making the socket's directory";
    match std::fs::create_dir(&path) {
        Ok(()) => {
            make_directory(&path, 0o700).map_err(failed(action))?;
            account.own(&path).map_err(failed(action))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let metadata = std::fs::symlink_metadata(&path).map_err(failed(action))?;
            if metadata.is_dir() && metadata.uid() == account.user_id() {
                return Ok(());
            }
            Err(EngineError::Directory {
                directory: path,
                reason: "it is for the server's socket but belongs to another user".to_owned(),
            })
        }
        Err(error) => Err(failed(action)(error)),
    }
}
