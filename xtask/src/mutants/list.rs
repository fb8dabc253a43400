//! The deliberate bugs in `mutants/`: read, and built into a copy of what they break.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Where the copy reads which bug is on.
pub(super) const SWITCH: &str = "TRAPHEUS_MUTANT";
/// Where the copy reads the file of the definition that a bug has changed.
pub(super) const DEFINITION_SWITCH: &str = "TRAPHEUS_CHANGED_DEFINITION";
/// What stands for the switch in an edit.
const PLACEHOLDER: &str = "MUTANT";

/// A plausible mistake.
#[derive(Debug, Default)]
pub(super) struct Bug {
    pub(super) name: String,
    /// What the mistake is.
    pub(super) what: String,
    edits: Vec<Edit>,
    /// The narrow tests that catch it where the simulator does not.
    pub(super) tests: Vec<String>,
    /// Whether it is no bug, but something that the copy always has.
    pub(super) is_always: bool,
}

/// Lines in place of other lines, whatever their indentation.
#[derive(Debug, Default)]
struct Edit {
    file: String,
    /// The line that opens the block in which they are; empty for the whole file.
    block: String,
    find: Vec<String>,
    replace: Vec<String>,
}

/// Reads all lists of a directory, in the order of their names.
pub(super) fn read(directory: &Path) -> Result<Vec<Bug>, String> {
    let explain = |error| format!("cannot read {}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(explain)?;
    let mut lists: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    lists.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    lists.sort();
    let mut bugs: Vec<Bug> = Vec::new();
    for list in lists {
        let text = fs::read_to_string(&list).map_err(explain)?;
        bugs.extend(parse(&text).map_err(|error| format!("{}: {error}", list.display()))?);
    }
    let mut names: Vec<&str> = bugs.iter().map(|bug| bug.name.as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("there are two bugs {}", pair[0])),
        None => Ok(bugs),
    }
}

/// Reads a list. A line says by its first word what it is: `bug` or `always`, `what`, `in FILE[: BLOCK]`,
/// `-` and `+` as in a diff, `test`; `#` begins a comment.
fn parse(text: &str) -> Result<Vec<Bug>, String> {
    let mut bugs: Vec<Bug> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim().to_owned();
        if word.is_empty() && rest.is_empty() || word.starts_with('#') {
            continue;
        }
        if word == "bug" || word == "always" {
            bugs.push(Bug {
                name: rest,
                is_always: word == "always",
                ..Bug::default()
            });
            continue;
        }
        let misplaced = || format!("line {}: {line:?} is out of place", number + 1);
        let bug = bugs.last_mut().ok_or_else(misplaced)?;
        match (word, bug.edits.last_mut()) {
            ("what", _) => bug.what = [bug.what.as_str(), &rest].join(" ").trim().to_owned(),
            ("in", _) => {
                let (file, block) = rest.split_once(": ").unwrap_or((&rest, ""));
                bug.edits.push(Edit {
                    file: file.to_owned(),
                    block: block.to_owned(),
                    ..Edit::default()
                });
            }
            ("-", Some(edit)) => edit.find.push(rest),
            ("+", Some(edit)) => edit.replace.push(rest),
            ("test", _) => bug.tests.push(rest),
            _ => return Err(misplaced()),
        }
    }
    Ok(bugs)
}

/// The files of the product with all their bugs built in, each behind its switch.
pub(super) fn changed_files(bugs: &[Bug]) -> Result<BTreeMap<String, String>, String> {
    let mut by_file: BTreeMap<&str, Vec<(&Bug, &Edit)>> = BTreeMap::new();
    for bug in bugs {
        for edit in bug.edits.iter().filter(|edit| !is_definition(edit)) {
            by_file.entry(&edit.file).or_default().push((bug, edit));
        }
    }
    let changed = by_file.into_iter();
    let changed = changed.map(|(file, edits)| Ok((file.to_owned(), change(file, &edits)?)));
    changed.collect()
}

/// The definition as a bug has changed it; none where it has not.
pub(super) fn changed_definition(bug: &Bug) -> Result<Option<String>, String> {
    let edits = bug.edits.iter().filter(|edit| is_definition(edit));
    let edits: Vec<(&Bug, &Edit)> = edits.map(|edit| (bug, edit)).collect();
    let file = edits.first().map(|(_, edit)| edit.file.as_str());
    file.map(|file| change(file, &edits)).transpose()
}

fn is_definition(edit: &Edit) -> bool {
    edit.file.ends_with(".json")
}

fn change(file: &str, edits: &[(&Bug, &Edit)]) -> Result<String, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let mut places = Vec::new();
    for (bug, edit) in edits {
        let explain = |error| format!("{} does not apply any more: {file}: {error}", bug.name);
        places.push((edit.locate(&lines).map_err(explain)?, *bug, *edit));
    }
    places.sort_by_key(|(place, ..)| place.start);
    let mut changed = String::new();
    let mut add = |line: &str| changed.extend([line, "\n"]);
    let mut next = 0;
    for (place, bug, edit) in places {
        if place.start < next {
            return Err(format!("{} changes what another bug changes", bug.name));
        }
        lines[next..place.start].iter().for_each(|line| add(line));
        let name = &bug.name;
        let switch = format!("::std::env::var({SWITCH:?}).is_ok_and(|on| on == {name:?})");
        for line in &edit.replace {
            add(&line.replace(PLACEHOLDER, &switch));
        }
        next = place.end;
    }
    lines[next..].iter().for_each(|line| add(line));
    Ok(changed)
}

impl Edit {
    /// The one place where its lines are.
    fn locate(&self, lines: &[&str]) -> Result<Range<usize>, String> {
        let block = self.block(lines)?;
        let is_here = |start: &usize| {
            let mut pairs = self.find.iter().zip(&lines[*start..]);
            pairs.all(|(asked, found)| asked == found.trim())
        };
        let last = block.end.saturating_sub(self.find.len());
        let found: Vec<usize> = (block.start..=last).filter(is_here).collect();
        match (self.find.is_empty(), found.as_slice()) {
            (false, [start]) => Ok(*start..*start + self.find.len()),
            (true, _) => Err("it has no line to look for".to_owned()),
            (false, []) => Err(format!("there is no {:?}", self.find[0])),
            (false, _) => Err(format!("{:?} is there more than once", self.find[0])),
        }
    }

    /// From the line that opens the block to the bracket that closes it, at the same indentation.
    fn block(&self, lines: &[&str]) -> Result<Range<usize>, String> {
        if self.block.is_empty() {
            return Ok(0..lines.len());
        }
        let opens: Vec<usize> = (0..lines.len())
            .filter(|at| lines[*at].trim() == self.block)
            .collect();
        let [start] = opens[..] else {
            return Err(format!("there is not one line {:?}", self.block));
        };
        let indentation = lines[start].len() - lines[start].trim_start().len();
        let closes = |line: &&str| {
            let text = line.trim_start();
            line.len() - text.len() == indentation && text.starts_with('}')
        };
        let length = lines[start..].iter().position(closes);
        Ok(start..start + length.map_or(lines.len() - start, |length| length + 1))
    }
}
