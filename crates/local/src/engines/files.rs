//! Lists the files of a data directory and copies them on several threads.
//!
//! Large files are cut into pieces, so that one table of many gigabytes keeps every thread busy, and progress is told
//! by the piece. How the bytes of a piece are moved is `transfer`'s business.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, fchown};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::Progress;
use super::account::Account;
use super::directory::make_directory;
use super::transfer::{Method, Mover, Source};

/// Size of a piece of a large file.
const PIECE_BYTES: u64 = 16 * 1024 * 1024;

/// Threads per processor: half of them wait for the disk.
const THREADS_PER_PROCESSOR: usize = 2;

/// More threads than this give a disk no more to do.
const THREADS_MAX: usize = 16;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(50);

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

/// One copy of a listing.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub(super) from: Utf8PathBuf,
    pub(super) to: Utf8PathBuf,
    pub(super) account: Option<Account>,
    pub(super) source: Source,
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
        let Some(first) = listing.files.first() else {
            return Ok(());
        };
        let method = Method::probe(&self.from.join(&first.path), &self.to)?;
        let pieces = pieces(&listing.files, method);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (processors * THREADS_PER_PROCESSOR).min(THREADS_MAX);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| self.work(Mover::new(method, self.source), &pieces, shared))
                })
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

    fn work(&self, mut mover: Mover, pieces: &[Piece<'_>], shared: &Shared) -> io::Result<()> {
        while let Some(piece) = pieces.get(shared.next.fetch_add(1, Ordering::Relaxed)) {
            if shared.stopped.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let result = self.copy_piece(&mut mover, piece);
            if result.is_err() {
                shared.stopped.store(true, Ordering::Relaxed);
            }
            shared.copied.fetch_add(result?, Ordering::Relaxed);
        }
        Ok(())
    }

    fn copy_piece(&self, mover: &mut Mover, piece: &Piece<'_>) -> io::Result<u64> {
        let (from, to) = (self.from.join(piece.path), self.to.join(piece.path));
        let source = match File::open(&from) {
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && self.source == Source::Live =>
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
            .open(&to)?;
        if let Some((user, group)) = self.account.and_then(Account::owner) {
            fchown(&target, Some(user), Some(group))?;
        }
        mover.copy((&from, &source), (&to, &target), piece.offset, piece.length)
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

/// Cuts the files into pieces, those of the largest files first, so that no thread is left with one at the end. Blocks
/// are shared by the file.
fn pieces(files: &[Entry], method: Method) -> Vec<Piece<'_>> {
    let piece_bytes = match method {
        Method::Reflink => u64::MAX,
        Method::Direct | Method::Buffered => PIECE_BYTES,
    };
    let mut by_size: Vec<&Entry> = files.iter().collect();
    by_size.sort_by_key(|file| std::cmp::Reverse(file.size_bytes));
    by_size
        .into_iter()
        .flat_map(|file| {
            let count = file.size_bytes.div_ceil(piece_bytes).max(1);
            (0..count).map(move |index| Piece {
                path: &file.path,
                offset: index * piece_bytes,
                length: piece_bytes.min(file.size_bytes - index * piece_bytes),
            })
        })
        .collect()
}

/// Waits until everything written to the file system of this directory is on the disk, however it was written.
pub(super) async fn flush_file_system(directory: &Utf8Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    tokio::task::spawn_blocking(move || nix::unistd::syncfs(&directory))
        .await
        .map_err(io::Error::other)?
        .map_err(io::Error::from)
}
