//! Moves the bytes of files, in the way that costs least on the file systems at hand.
//!
//! - Where they have reflinks (Btrfs, XFS) the copy shares the source's blocks: gigabytes in no time.
//! - Else large files are written past the page cache. Their pages would not be read again soon, but finding memory for
//!   them takes longer than writing them to a fast disk, and they'd push out what running servers need; and what is
//!   written this way needn't be flushed afterwards.
//! - Where neither works (tmpfs), and for small files, it is plain reading and writing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use camino::Utf8Path;

/// Bytes moved at a time by one thread.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// What memory and positions must be multiples of when the page cache is passed by, on every usual disk.
const ALIGNMENT: usize = 4096;

/// Below this a file costs less by way of the page cache.
const DIRECT_BYTES_MIN: u64 = 1024 * 1024;

/// How files get from one directory to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The copy shares the source's blocks; whole files only.
    Reflink,
    /// Past the page cache.
    Direct,
    /// Through the page cache.
    Buffered,
}

impl Method {
    /// Tries what the file systems can do, with a file of its own in the target's directory.
    pub(super) fn probe(source: &Utf8Path, directory: &Utf8Path) -> io::Result<Self> {
        let path = directory.join(".trapheus-probe");
        let probe = File::create(&path)?;
        let method = if rustix::fs::ioctl_ficlone(&probe, File::open(source)?).is_ok() {
            Self::Reflink
        } else {
            let mut buffer = Buffer::new();
            match open_direct(OpenOptions::new().write(true), &path) {
                Ok(direct) if direct.write_all_at(&buffer.bytes()[..ALIGNMENT], 0).is_ok() => {
                    Self::Direct
                }
                Ok(_) | Err(_) => Self::Buffered,
            }
        };
        std::fs::remove_file(path)?;
        Ok(method)
    }
}

/// Whether the page cache is likely to have the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A server works on these files, so they are read through the page cache; and it may remove one at any moment,
    /// which its log then says.
    Live,
    /// Nobody has touched these files for a while, and nobody may meanwhile.
    Still,
}

/// What one thread needs to move bytes.
pub(super) struct Mover {
    method: Method,
    source: Source,
    buffer: Buffer,
}

impl Mover {
    pub(super) fn new(method: Method, source: Source) -> Self {
        Self {
            method,
            source,
            buffer: Buffer::new(),
        }
    }

    /// Copies a range of one file to the same place of another; returns the bytes copied, which are fewer where the
    /// source has become shorter.
    pub(super) fn copy(
        &mut self,
        (from, source): (&Utf8Path, &File),
        (to, target): (&Utf8Path, &File),
        offset: u64,
        length: u64,
    ) -> io::Result<u64> {
        match self.method {
            Method::Reflink => {
                rustix::fs::ioctl_ficlone(target, source)?;
                Ok(length)
            }
            Method::Direct if length >= DIRECT_BYTES_MIN => {
                let direct_target = open_direct(OpenOptions::new().write(true), to)?;
                let direct_source = match self.source {
                    Source::Live => None,
                    // The source may be on another file system than the one that was probed, and less able.
                    Source::Still => open_direct(OpenOptions::new().read(true), from).ok(),
                };
                let source = direct_source.as_ref().unwrap_or(source);
                self.pump(source, &direct_target, target, offset, length)
            }
            Method::Direct | Method::Buffered => self.pump(source, target, target, offset, length),
        }
    }

    /// Reads and writes until the range or the source ends. What is left at the end and isn't aligned goes to the file
    /// that was opened for the rest.
    fn pump(
        &mut self,
        source: &File,
        target: &File,
        rest: &File,
        offset: u64,
        length: u64,
    ) -> io::Result<u64> {
        let buffer = self.buffer.bytes();
        let mut done = 0;
        while done < length {
            let wanted =
                usize::try_from(length - done).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
            // Reading past the range's end keeps the request aligned; only what is wanted is written.
            let request = wanted.next_multiple_of(ALIGNMENT);
            let read = fill(source, &mut buffer[..request], offset + done)?.min(wanted);
            let aligned = read - read % ALIGNMENT;
            target.write_all_at(&buffer[..aligned], offset + done)?;
            if aligned < read {
                rest.write_all_at(&buffer[aligned..read], offset + done + aligned as u64)?;
            }
            done += read as u64;
            if read < wanted {
                break;
            }
        }
        Ok(done)
    }
}

/// Reads until the buffer is full or the file ends; a read that isn't aligned any more is at the end.
fn fill(source: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if filled % ALIGNMENT != 0 {
            break;
        }
    }
    Ok(filled)
}

fn open_direct(options: &mut OpenOptions, path: &Utf8Path) -> io::Result<File> {
    options.custom_flags(libc::O_DIRECT).open(path)
}

/// Memory that begins at a multiple of the alignment.
struct Buffer {
    memory: Vec<u8>,
}

impl Buffer {
    fn new() -> Self {
        Self {
            memory: vec![0; BUFFER_BYTES + ALIGNMENT],
        }
    }

    fn bytes(&mut self) -> &mut [u8] {
        let start = self.memory.as_ptr().align_offset(ALIGNMENT);
        &mut self.memory[start..start + BUFFER_BYTES]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method must give the same bytes, whatever the length's relation to the alignment and the buffer.
    #[test]
    fn files_of_any_length_arrive_whole() {
        for (source_place, target_place) in [
            ("/tmp", "/tmp"),
            ("/dev/shm", "/dev/shm"),
            ("/dev/shm", "/tmp"),
            ("/tmp", "/dev/shm"),
        ] {
            let source_directory = tempfile::tempdir_in(source_place).unwrap();
            let target_directory = tempfile::tempdir_in(target_place).unwrap();
            let root = Utf8Path::from_path(target_directory.path()).unwrap();
            let from = Utf8Path::from_path(source_directory.path())
                .unwrap()
                .join("from");
            let to = root.join("to");
            for length in [
                0, 1, 8192, 1_048_576, 1_048_577, 4_194_304, 4_200_001, 9_000_000,
            ] {
                let bytes: Vec<u8> = (0..length)
                    .map(|index: usize| (index % 251) as u8)
                    .collect();
                std::fs::write(&from, &bytes).unwrap();
                let _ = std::fs::remove_file(&to);
                let method = Method::probe(&from, root).unwrap();
                for source_kind in [Source::Live, Source::Still] {
                    let (source, target) = (File::open(&from).unwrap(), File::create(&to).unwrap());
                    let copied = Mover::new(method, source_kind)
                        .copy((&from, &source), (&to, &target), 0, length as u64)
                        .unwrap();
                    assert_eq!(copied, length as u64);
                    assert!(
                        std::fs::read(&to).unwrap() == bytes,
                        "{source_place} {target_place} {length} {method:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_source_that_became_shorter_ends_the_copy() {
        let directory = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(directory.path()).unwrap();
        let (from, to) = (root.join("from"), root.join("to"));
        std::fs::write(&from, vec![7; 2_000_000]).unwrap();
        let (source, target) = (File::open(&from).unwrap(), File::create(&to).unwrap());
        let copied = Mover::new(Method::Direct, Source::Still)
            .copy((&from, &source), (&to, &target), 0, 8_000_000)
            .unwrap();
        assert_eq!(copied, 2_000_000);
        assert_eq!(std::fs::read(&to).unwrap(), vec![7; 2_000_000]);
    }
}
