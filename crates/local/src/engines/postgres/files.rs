//! Lists the files of a data directory and copies them on several threads.
//!
//! `copy_file_range` lets file systems with reflinks (Btrfs, XFS) share the blocks, so that a copy costs next to
//! nothing; elsewhere the kernel moves the pages without a detour through this process. Large files are cut into pieces
//! so that one table of many gigabytes keeps every thread busy, and progress is told by the piece.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt, fchown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use nix::errno::Errno;
use nix::fcntl::copy_file_range;

use super::account::Account;
use super::bootstrap::make_directory;
use crate::engines::Progress;

/// Size of a piece of a large file.
const PIECE_BYTES: u64 = 16 * 1024 * 1024;

/// More threads than this only make the disk's head jump.
const THREADS_MAX: usize = 8;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

/// A buffer for file systems that have no `copy_file_range`.
const BUFFER_BYTES: usize = 1024 * 1024;

/// What is to be copied, by paths relative to one directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Parents come before their children.
    pub(super) directories: Vec<Utf8PathBuf>,
    pub(super) files: Vec<Entry>,
}

/// A file, as long as it was when it was listed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) path: Utf8PathBuf,
    pub(super) size_bytes: u64,
}

impl Listing {
    /// Lists a directory that nobody writes to, whole.
    pub(super) fn of(root: &Utf8Path) -> io::Result<Self> {
        let mut listing = Self::default();
        listing.add(root, Utf8Path::new(""))?;
        Ok(listing)
    }

    fn add(&mut self, root: &Utf8Path, folder: &Utf8Path) -> io::Result<()> {
        for entry in root.join(folder).read_dir_utf8()? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            // A running server removes files between the listing and the look at them.
            let metadata = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other?,
            };
            if metadata.is_dir() {
                self.directories.push(path.clone());
                self.add(root, &path)?;
            } else if metadata.is_file() {
                self.files.push(Entry {
                    path,
                    size_bytes: metadata.len(),
                });
            }
        }
        Ok(())
    }

    /// Total of the files' sizes.
    pub(super) fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// What a file means that is listed but no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vanished {
    /// The server that writes here removed it, and its log says so.
    Skip,
    /// Nobody may have touched it.
    Fail,
}

/// One copy of a listing.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) from: Utf8PathBuf,
    pub(super) to: Utf8PathBuf,
    pub(super) account: Option<Account>,
    pub(super) vanished: Vanished,
}

impl Copy {
    /// Makes the directories and copies the files; returns the bytes copied. A dropped future stops the threads at
    /// their next piece.
    pub(super) async fn run(self, listing: Listing, progress: Progress<'_>) -> io::Result<u64> {
        let total = listing.size_bytes().max(1);
        let shared = Arc::new(Shared::default());
        let _stop = StopOnDrop(Arc::clone(&shared));
        let for_threads = Arc::clone(&shared);
        let mut job = tokio::task::spawn_blocking(move || self.run_threads(&listing, &for_threads));
        let percent = |copied: u64| u8::try_from((copied * 100 / total).min(100)).unwrap_or(100);
        let mut ticks = tokio::time::interval(PROGRESS_INTERVAL);
        let mut told = 0;
        loop {
            tokio::select! {
                result = &mut job => {
                    result.map_err(io::Error::other)??;
                    return Ok(shared.copied.load(Ordering::Relaxed));
                }
                _ = ticks.tick() => {
                    let now = percent(shared.copied.load(Ordering::Relaxed));
                    if now > told {
                        told = now;
                        progress(now);
                    }
                }
            }
        }
    }

    fn run_threads(&self, listing: &Listing, shared: &Shared) -> io::Result<()> {
        self.make_directories(listing)?;
        let pieces = pieces(&listing.files);
        let threads = std::thread::available_parallelism()
            .map_or(2, usize::from)
            .min(THREADS_MAX);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.work(&pieces, shared)))
                .collect();
            workers.into_iter().try_for_each(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
            })
        })
    }

    fn make_directories(&self, listing: &Listing) -> io::Result<()> {
        let root = [Utf8PathBuf::new()];
        for folder in root.iter().chain(&listing.directories) {
            let path = self.to.join(folder);
            make_directory(&path, 0o700)?;
            if let Some(account) = self.account {
                account.own(&path)?;
            }
        }
        Ok(())
    }

    fn work(&self, pieces: &[Piece<'_>], shared: &Shared) -> io::Result<()> {
        while let Some(piece) = pieces.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
            if shared.stopped.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let result = self.copy_piece(piece);
            if result.is_err() {
                shared.stopped.store(true, Ordering::Relaxed);
            }
            shared.copied.fetch_add(result?, Ordering::Relaxed);
        }
        Ok(())
    }

    fn copy_piece(&self, piece: &Piece<'_>) -> io::Result<u64> {
        let source = match File::open(self.from.join(piece.path)) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && self.vanished == Vanished::Skip =>
            {
                return Ok(0);
            }
            other => other?,
        };
        let target = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.to.join(piece.path))?;
        if let Some((user, group)) = self.account.and_then(Account::owner) {
            fchown(&target, Some(user), Some(group))?;
        }
        copy_range(&source, &target, piece.offset, piece.length)
    }
}

/// Told to the threads of one copy, and by them.
#[derive(Debug, Default)]
struct Shared {
    next: AtomicUsize,
    copied: AtomicU64,
    stopped: AtomicBool,
}

struct StopOnDrop(Arc<Shared>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }
}

struct Piece<'a> {
    path: &'a Utf8Path,
    offset: u64,
    length: u64,
}

/// Cuts the files into pieces, those of the largest files first, so that no thread is left with one at the end.
fn pieces(files: &[Entry]) -> Vec<Piece<'_>> {
    let mut by_size: Vec<&Entry> = files.iter().collect();
    by_size.sort_by_key(|file| std::cmp::Reverse(file.size_bytes));
    by_size
        .into_iter()
        .flat_map(|file| {
            let count = file.size_bytes.div_ceil(PIECE_BYTES).max(1);
            (0..count).map(move |index| Piece {
                path: &file.path,
                offset: index * PIECE_BYTES,
                length: PIECE_BYTES.min(file.size_bytes - index * PIECE_BYTES),
            })
        })
        .collect()
}

/// Copies a range; a source that has become shorter ends the copy early.
fn copy_range(source: &File, target: &File, offset: u64, length: u64) -> io::Result<u64> {
    let mut done = 0;
    while done < length {
        let position = i64::try_from(offset + done).map_err(io::Error::other)?;
        let left = usize::try_from(length - done).map_err(io::Error::other)?;
        let (mut read_at, mut write_at) = (position, position);
        match copy_file_range(
            source,
            Some(&mut read_at),
            target,
            Some(&mut write_at),
            left,
        ) {
            Ok(0) => break,
            Ok(copied) => done += copied as u64,
            Err(Errno::EINTR) => {}
            Err(Errno::EXDEV | Errno::EINVAL | Errno::ENOSYS | Errno::EOPNOTSUPP) => {
                return Ok(done + copy_buffered(source, target, offset + done, length - done)?);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(done)
}

fn copy_buffered(source: &File, target: &File, offset: u64, length: u64) -> io::Result<u64> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut done = 0;
    while done < length {
        let wanted =
            usize::try_from(length - done).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
        let read = source.read_at(&mut buffer[..wanted], offset + done)?;
        if read == 0 {
            break;
        }
        target.write_all_at(&buffer[..read], offset + done)?;
        done += read as u64;
    }
    Ok(done)
}

/// Waits until everything written to the file system of this directory is on the disk, however it was written.
pub(super) async fn flush_file_system(directory: &Utf8Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    tokio::task::spawn_blocking(move || nix::unistd::syncfs(&directory))
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::from)
}
