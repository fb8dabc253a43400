//! `cargo xtask mutants [--stories] [NAME...]`: do the tests catch the mistakes that we fear?
//!
//! `mutants/` lists deliberate bugs as changes of lines. All of them are built into one scratch
//! copy of the workspace, each behind a switch, so that one compilation serves all. Then the
//! tests run once without a bug, and must pass, and once for each, and must fail.

mod copy;
mod list;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{env, io};

use crate::process;
use list::Bug;
use trial::{Programs, Trial, Verdict};

const LISTS: &str = "mutants";
/// Leaves the named tests out: what do the simulator's stories catch by themselves?
const BY_STORIES: &str = "--stories";

/// Sees that every bug can still be built in. Part of `verify`: a bug whose place has changed is
/// adapted by whoever changes it.
pub(crate) fn check() -> Result<(), String> {
    let bugs = list::read(Path::new(LISTS))?;
    list::changed_files(&bugs)?;
    bugs.iter()
        .try_for_each(|bug| list::changed_definition(bug).map(|_| ()))
}

/// Builds the copy, and tries all bugs, or those that are named, with their tests and with the
/// simulator's stories.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let bugs = list::read(Path::new(LISTS))?;
    let (flags, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|word| word.starts_with("--"));
    let by_stories = match flags[..] {
        [] => false,
        [flag] if flag == BY_STORIES => true,
        _ => return Err(format!("the only flag is {BY_STORIES}")),
    };
    let chosen = choose(&bugs, &names)?;
    let scratch = scratch()?;
    let tree = scratch.join("tree");
    let mut changed = copy::renamed()?;
    changed.extend(list::changed_files(&bugs)?);
    copy::mirror(&tree, &changed)?;

    let begun = Instant::now();
    let programs = Programs::build(&tree, &scratch, &chosen)?;
    let built = begun.elapsed().as_secs();

    let mut trials = vec![Trial::control(&chosen)];
    for bug in &chosen {
        let definition = write_definition(bug, &scratch)?;
        trials.push(Trial::of(bug, definition, by_stories));
    }
    process::say(&format!(
        "{} bugs in one copy, compiled in {built} s",
        bugs.len()
    ));
    let begun = Instant::now();
    let verdicts = trial::run_all(&trials, &programs, &scratch)?;
    let took = begun.elapsed().as_secs();
    tell(&trials, &verdicts).map_err(|error| format!("cannot print the table: {error}"))?;

    let (control, verdicts) = (&verdicts[0], &verdicts[1..]);
    if let Some(failed) = &control.caught_by {
        return Err(format!("without any bug, this fails: {failed}"));
    }
    let survive = verdicts
        .iter()
        .filter(|verdict| verdict.caught_by.is_none());
    match survive.count() {
        0 => {
            process::say(&format!("all {} caught in {took} s", verdicts.len()));
            Ok(())
        }
        survivors => Err(format!("{survivors} of {} bugs survive", verdicts.len())),
    }
}

fn choose<'a>(bugs: &'a [Bug], names: &[&String]) -> Result<Vec<&'a Bug>, String> {
    let unknown = |name: &&&String| !bugs.iter().any(|bug| bug.name == ***name);
    if let Some(name) = names.iter().find(unknown) {
        return Err(format!("there is no bug {name:?} in {LISTS}/"));
    }
    let is_meant = |bug: &&Bug| !bug.is_always && (names.is_empty() || names.contains(&&bug.name));
    Ok(bugs.iter().filter(is_meant).collect())
}

/// Beside what cargo compiles: the dependencies are compiled once for both.
fn scratch() -> Result<PathBuf, String> {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let scratch = Path::new(&target).join("mutants");
    fs::create_dir_all(&scratch)
        .and_then(|()| scratch.canonicalize())
        .map_err(|error| format!("cannot make {}: {error}", scratch.display()))
}

fn write_definition(bug: &Bug, scratch: &Path) -> Result<Option<PathBuf>, String> {
    let Some(text) = list::changed_definition(bug)? else {
        return Ok(None);
    };
    let path = scratch.join(format!("{}.asl.json", bug.name));
    fs::write(&path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    Ok(Some(path))
}

/// Prints which bug was caught by what, as Markdown.
fn tell(trials: &[Trial<'_>], verdicts: &[Verdict]) -> io::Result<()> {
    use io::Write;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "| bug | the mistake | caught by | seconds |\n|---|---|---|---:|"
    )?;
    for (trial, verdict) in trials.iter().zip(verdicts).skip(1) {
        let caught_by = verdict.caught_by.as_deref().unwrap_or("**nothing**");
        let (name, what, seconds) = (trial.name(), trial.what(), verdict.took.as_secs_f32());
        writeln!(out, "| `{name}` | {what} | {caught_by} | {seconds:.1} |")?;
    }
    Ok(())
}
