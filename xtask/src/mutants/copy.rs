//! The scratch copy of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What of the workspace does not belong into a copy.
const LEFT_OUT: [&str; 3] = [".git", "target", "mutants"];

/// What the version of the copy's packages has besides.
const MARK: &str = "+mutants";

/// The manifest and the lock file with another version of the workspace's own packages. Cargo tells
/// packages apart by name, version and their place in the workspace: with the same version, it would
/// take what it has compiled of the copy, bugs and all, for the workspace's own.
pub(super) fn renamed() -> Result<BTreeMap<String, String>, String> {
    let read = |file: &str| {
        fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))
    };
    let (manifest, lock) = (read("Cargo.toml")?, read("Cargo.lock")?);
    let is_version = |line: &&str| line.starts_with("version = ");
    let version = manifest.lines().find(is_version);
    let version = version.ok_or("Cargo.toml has no version of the workspace")?;
    let marked = format!("{}{MARK}\"", version.trim_end_matches('"'));
    // Packages of registries have a line that says where they are from.
    let packages =
        lock.split("[[package]]\n")
            .map(|package| match package.contains("\nsource = ") {
                true => package.to_owned(),
                false => package.replacen(version, &marked, 1),
            });
    let lock = packages.collect::<Vec<_>>().join("[[package]]\n");
    Ok(BTreeMap::from([
        (
            "Cargo.toml".to_owned(),
            manifest.replacen(version, &marked, 1),
        ),
        ("Cargo.lock".to_owned(), lock),
    ]))
}

/// Makes a directory equal to the workspace, but for the files that are given. What is equal
/// already keeps its time, so that cargo compiles again only what has changed.
pub(super) fn mirror(to: &Path, changed: &BTreeMap<String, String>) -> Result<(), String> {
    mirror_directory(Path::new(""), to, changed)
        .map_err(|error| format!("cannot copy the workspace to {}: {error}", to.display()))
}

fn mirror_directory(from: &Path, to: &Path, changed: &BTreeMap<String, String>) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        if !from.join(entry.file_name()).exists() {
            remove(&entry.path())?;
        }
    }
    for entry in fs::read_dir(Path::new(".").join(from))? {
        let entry = entry?;
        let (source, copy) = (from.join(entry.file_name()), to.join(entry.file_name()));
        if LEFT_OUT
            .iter()
            .any(|left_out| source == Path::new(left_out))
        {
            continue;
        }
        if entry.file_type()?.is_dir() {
            mirror_directory(&source, &copy, changed)?;
            continue;
        }
        let content = match source.to_str().and_then(|source| changed.get(source)) {
            Some(changed) => changed.clone().into_bytes(),
            None => fs::read(&source)?,
        };
        if fs::read(&copy).ok().as_ref() != Some(&content) {
            fs::write(&copy, content)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}
