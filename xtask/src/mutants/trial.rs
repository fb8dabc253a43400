//! Running the tests of the copy with a bug switched on, or with none.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::list::{Bug, DEFINITION_SWITCH, SWITCH};
use crate::process;

/// The simulator's stories that every bug is tried with: those of the seeds from 1 on, so many at
/// a time, until one goes wrong.
const STORIES: usize = 24;
const STORIES_AT_A_TIME: usize = 6;
const SIMULATOR: &str = "testkit/simulate";
/// A small test of the same package: cargo compiles a package's programs with its tests.
const BESIDE_THE_SIMULATOR: &str = "steps";
/// What takes longer never ends: that is a way of failing, too.
const ENDS_WITHIN: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The compiled programs of the copy, by `PACKAGE/TARGET`.
pub(super) struct Programs(BTreeMap<String, Program>);

struct Program {
    path: PathBuf,
    /// Where cargo would run it.
    directory: PathBuf,
}

/// One bug, or none, and the tests that are to catch it.
pub(super) struct Trial<'a> {
    bug: Option<&'a Bug>,
    definition: Option<PathBuf>,
    tests: Vec<&'a str>,
}

/// How a trial went.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) caught_by: Option<String>,
    pub(super) took: Duration,
}

impl Programs {
    /// Compiles the simulator, and what the tests of some bugs need.
    pub(super) fn build(tree: &Path, scratch: &Path, bugs: &[&Bug]) -> Result<Programs, String> {
        let mut names: Vec<&str> = bugs
            .iter()
            .flat_map(|bug| &bug.tests)
            .map(|test| program_and_filter(test).0)
            .collect();
        names.sort_unstable();
        names.dedup();
        // Where the workspace itself is compiled, of the whole of it and together with a test, so that the dependencies have the features
        // that they have anyway, and are not compiled again.
        let mut cargo = process::cargo();
        cargo
            .current_dir(tree)
            .env("CARGO_TARGET_DIR", scratch.join(".."))
            .args(["test", "--no-run", "--locked", "--workspace"])
            .arg("--message-format=json-render-diagnostics")
            .args(["--test", BESIDE_THE_SIMULATOR]);
        for name in &names {
            cargo.args(["--test", split(name)?.1]);
        }
        let told = compile(&mut cargo)?;
        let mut programs = BTreeMap::from([(SIMULATOR.to_owned(), simulator(tree, scratch)?)]);
        for name in names {
            programs.insert(name.to_owned(), Program::find(name, tree, &told)?);
        }
        Ok(Programs(programs))
    }
}

/// Runs cargo and returns what it says to programs; what it says to people goes on to them.
fn compile(cargo: &mut Command) -> Result<String, String> {
    let explain = |error| format!("cannot run cargo: {error}");
    let done = cargo.stderr(Stdio::inherit()).output().map_err(explain)?;
    match done.status.success() {
        true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
        false => Err("the copy with all bugs does not compile".to_owned()),
    }
}

/// Takes the simulator from where cargo puts that of the workspace itself, too.
fn simulator(tree: &Path, scratch: &Path) -> Result<Program, String> {
    let path = scratch.join("simulate");
    let from = scratch.join("../debug/simulate");
    fs::copy(&from, &path).map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    Ok(Program {
        path,
        directory: tree.to_owned(),
    })
}

impl Programs {
    fn get(&self, name: &str) -> Result<&Program, String> {
        self.0
            .get(name)
            .ok_or_else(|| format!("there is no {name}"))
    }
}

impl Program {
    /// Reads where a program is from what cargo says. Programs of several packages may have one
    /// name, so it goes by the path of their source.
    fn find(name: &str, tree: &Path, told: &str) -> Result<Program, String> {
        let (package, target) = split(name)?;
        let directory = tree.join("crates").join(package);
        let source = directory.join("tests").join(target);
        let sources = [source.with_extension("rs"), source.join("main.rs")];
        let is_meant = |artifact: &&str| {
            text_of(artifact, "src_path").is_some_and(|path| sources.contains(&PathBuf::from(path)))
        };
        let path = told
            .lines()
            .filter(|line| line.contains(r#""reason":"compiler-artifact""#))
            .find(is_meant)
            .and_then(|artifact| text_of(artifact, "executable"));
        let path = path.ok_or_else(|| format!("cargo made no {name}"))?;
        Ok(Program {
            path: path.into(),
            directory,
        })
    }
}

/// A member of a line of JSON whose value is a text that needs no escapes.
fn text_of<'a>(line: &'a str, member: &str) -> Option<&'a str> {
    let begin = format!("\"{member}\":\"");
    let (_, after) = line.split_once(&begin)?;
    after.split('"').next()
}

impl<'a> Trial<'a> {
    /// All tests, without a bug.
    pub(super) fn control(bugs: &[&'a Bug]) -> Self {
        let mut tests: Vec<&str> = bugs
            .iter()
            .flat_map(|bug| &bug.tests)
            .map(String::as_str)
            .collect();
        tests.sort_unstable();
        tests.dedup();
        Self {
            bug: None,
            definition: None,
            tests,
        }
    }

    /// A bug and its tests; none of them where the stories alone are to catch it.
    pub(super) fn of(bug: &'a Bug, definition: Option<PathBuf>, by_stories: bool) -> Self {
        let tests = bug.tests.iter().filter(|_| !by_stories);
        let tests = tests.map(String::as_str).collect();
        Self {
            bug: Some(bug),
            definition,
            tests,
        }
    }

    pub(super) fn name(&self) -> &str {
        self.bug.map_or("none", |bug| bug.name.as_str())
    }

    pub(super) fn what(&self) -> &str {
        self.bug.map_or("", |bug| bug.what.as_str())
    }

    /// Runs the tests until one fails, then tells stories until one goes wrong.
    fn run(&self, programs: &Programs, output: &Path) -> Result<Verdict, String> {
        let begun = Instant::now();
        let caught_by = match self.run_tests(programs, output)? {
            Some(caught_by) => Some(caught_by),
            None => self.tell_stories(programs, output)?,
        };
        let took = begun.elapsed();
        Ok(Verdict { caught_by, took })
    }

    fn tell_stories(&self, programs: &Programs, output: &Path) -> Result<Option<String>, String> {
        for from in (1..=STORIES).step_by(STORIES_AT_A_TIME) {
            let (from, stories) = (from.to_string(), STORIES_AT_A_TIME.to_string());
            let arguments = ["--from", &from, "--seeds", &stories, "--jobs", "1"];
            let ended = self.start(programs.get(SIMULATOR)?, &arguments, output)?;
            match ended {
                Ended::Well(_) => {}
                Ended::Never => {
                    return Ok(Some(format!("a story from seed {from} on that never ends")));
                }
                Ended::Badly(told) => {
                    let lines: Vec<&str> = told.lines().collect();
                    let seed = lines.iter().find(|line| line.starts_with("seed "));
                    let seed = seed.map_or("a story", |line| line.trim_end_matches(':'));
                    let what = lines
                        .iter()
                        .find_map(|line| line.trim().strip_prefix("VIOLATION: "));
                    let what = what.or(lines.last().copied()).unwrap_or_default();
                    return Ok(Some(format!("{seed}: {}", shortened(what))));
                }
            }
        }
        Ok(None)
    }

    fn run_tests(&self, programs: &Programs, output: &Path) -> Result<Option<String>, String> {
        for test in &self.tests {
            let (name, filter) = program_and_filter(test);
            let mut arguments = vec!["--test-threads", "1"];
            arguments.extend((!filter.is_empty()).then_some(filter));
            match self.start(programs.get(name)?, &arguments, output)? {
                Ended::Well(told) if told.contains("running 0 tests") => {
                    return Err(format!("there is no test {test}"));
                }
                Ended::Well(_) => {}
                Ended::Never => return Ok(Some(format!("`{test}`, which never ends"))),
                Ended::Badly(told) => {
                    let mut lines = told.lines();
                    let failed = lines.find_map(|line| {
                        let line = line.strip_prefix("test ")?;
                        line.contains("FAILED").then(|| line.split(' ').next())?
                    });
                    return Ok(Some(format!("`{name} {}`", failed.unwrap_or(filter))));
                }
            }
        }
        Ok(None)
    }

    /// Runs a program with the bug switched on.
    #[expect(
        clippy::disallowed_methods,
        reason = "another process is waited for, in real time"
    )]
    fn start(&self, program: &Program, arguments: &[&str], output: &Path) -> Result<Ended, String> {
        let explain = |error| format!("cannot run {}: {error}", program.path.display());
        let file = File::create(output).map_err(explain)?;
        let mut command = Command::new(&program.path);
        command
            .current_dir(&program.directory)
            .args(arguments)
            .stdout(file.try_clone().map_err(explain)?)
            .stderr(file);
        if let Some(bug) = self.bug {
            command.env(SWITCH, &bug.name);
        }
        if let Some(definition) = &self.definition {
            command.env(DEFINITION_SWITCH, definition);
        }
        let mut child = command.spawn().map_err(explain)?;
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(explain)? {
                break status;
            }
            if begun.elapsed() > ENDS_WITHIN {
                child.kill().and_then(|()| child.wait()).map_err(explain)?;
                return Ok(Ended::Never);
            }
            thread::sleep(LOOK_EVERY);
        };
        let told = fs::read(output).map_err(explain)?;
        let told = String::from_utf8_lossy(&told).into_owned();
        Ok(match status.success() {
            true => Ended::Well(told),
            false => Ended::Badly(told),
        })
    }
}

/// How a program ended, and what it told.
enum Ended {
    Well(String),
    Badly(String),
    /// It was at work for too long.
    Never,
}

/// What fits into a table's cell.
fn shortened(text: &str) -> String {
    const LENGTH: usize = 100;
    let text: String = text
        .chars()
        .map(|c| if c == '|' { '/' } else { c })
        .collect();
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Runs all trials, as many at once as there are processors.
pub(super) fn run_all(
    trials: &[Trial<'_>],
    programs: &Programs,
    scratch: &Path,
) -> Result<Vec<Verdict>, String> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(trial) = trials.get(number) else {
                return;
            };
            let output = scratch.join(format!("{}.output", trial.name()));
            let verdict = trial.run(programs, &output);
            if let Ok(verdict) = &verdict {
                let caught_by = verdict.caught_by.as_deref().unwrap_or("nothing");
                process::say(&format!("{}: {caught_by}", trial.name()));
            }
            if let Ok(mut verdicts) = verdicts.lock() {
                verdicts.insert(number, verdict);
            }
        }
    };
    let workers = thread::available_parallelism().map_or(1, Into::into);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let verdicts = verdicts.into_inner().map_err(|error| error.to_string())?;
    verdicts.into_values().collect()
}

/// `engine/it fencing` is the tests of `tests/it/` of the engine whose names contain `fencing`.
fn program_and_filter(test: &str) -> (&str, &str) {
    test.split_once(' ').unwrap_or((test, ""))
}

fn split(program: &str) -> Result<(&str, &str), String> {
    program
        .split_once('/')
        .ok_or_else(|| format!("{program:?} is not PACKAGE/TARGET"))
}
