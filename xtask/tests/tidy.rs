//! Keeps the tree tidy: sizes, headers and words that code review should not have to look for.

use std::fs;
use std::path::{Path, PathBuf};

/// No file is longer than this without its tests.
const LINES_MAX: usize = 800;
/// Nine files in ten are shorter than this without their tests.
const LINES_USUAL: usize = 500;

struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The lines before the unit tests.
    fn lines(&self) -> usize {
        self.text
            .lines()
            .take_while(|line| *line != "#[cfg(test)]")
            .count()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace")
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for place in ["crates", "xtask"] {
        collect(&root().join(place), &mut found);
    }
    assert!(
        found.len() > 50,
        "only {} files were found: is the walk broken?",
        found.len()
    );
    found
}

fn collect(directory: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(directory)
        .expect("the tree can be read")
        .flatten()
    {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                collect(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            found.push(Source { path, text });
        }
    }
}

fn complain(finding: &str, paths: &[String]) {
    assert!(paths.is_empty(), "{finding}:\n  {}", paths.join("\n  "));
}

#[test]
fn files_are_small() {
    let sources = sources();
    let long = |limit: usize| -> Vec<String> {
        let over = sources.iter().filter(|source| source.lines() > limit);
        over.map(|source| format!("{} ({} lines)", source.path.display(), source.lines()))
            .collect()
    };
    complain("files that are too long", &long(LINES_MAX));
    let longish = long(LINES_USUAL);
    if longish.len() * 10 > sources.len() {
        complain("too many long files", &longish);
    }
}

#[test]
fn files_say_what_they_are_for() {
    let silent = sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.path.display().to_string())
        .collect::<Vec<_>>();
    complain("files without a `//!` header", &silent);
}

#[test]
fn nothing_is_left_unfinished() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("#[igno", "re]"),
    ];
    let unfinished = sources()
        .into_iter()
        .filter(|source| marks.iter().any(|mark| source.text.contains(mark)))
        .map(|source| source.path.display().to_string())
        .collect::<Vec<_>>();
    complain("files with unfinished business", &unfinished);
}

#[test]
fn main_is_trivial() {
    let main = fs::read_to_string(root().join("crates/cli/src/main.rs")).expect("it is there");
    assert!(
        main.lines().count() <= 40,
        "main.rs has {} lines",
        main.lines().count()
    );
}

#[test]
fn links_in_documents_lead_somewhere() {
    for document in [
        "README.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/safety.md",
    ] {
        let document = root().join(document);
        let text = fs::read_to_string(&document).expect("it is there");
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = target.split('#').next().unwrap_or_default();
            let is_file = !target.is_empty() && !target.starts_with("http");
            assert!(
                !is_file || document.with_file_name(target).exists(),
                "{} links to {target}",
                document.display()
            );
        }
    }
}

/// What the page on safety says to be tested is: every test, bug and list that it names is there.
#[test]
fn the_page_on_safety_names_what_there_is() {
    let text = fs::read_to_string(root().join("docs/safety.md")).expect("it is there");
    let lists = fs::read_dir(root().join("mutants")).expect("the lists are there");
    let lists = lists.flatten().map(|list| list.path());
    let lists: Vec<String> = lists
        .map(|list| fs::read_to_string(list).expect("lists are UTF-8"))
        .collect();
    let sources = sources();
    let (mut tests, mut bugs) = (0, 0);
    for name in text.split('`').skip(1).step_by(2) {
        let is_a_word = |separator: char| {
            let of_it = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == separator;
            name.chars().all(of_it) && name.matches(separator).count() >= 2
        };
        if name.starts_with("mutants/") {
            assert!(root().join(name).exists(), "there is no {name}");
        } else if is_a_word('_') {
            let function = format!("fn {name}(");
            let is_there = sources.iter().any(|source| source.text.contains(&function));
            assert!(is_there, "there is no test {name}");
            tests += 1;
        } else if is_a_word('-') {
            let bug = format!("bug {name}\n");
            assert!(
                lists.iter().any(|list| list.contains(&bug)),
                "there is no bug {name}"
            );
            bugs += 1;
        }
    }
    assert!(
        tests > 30 && bugs > 0,
        "only {tests} tests and {bugs} bugs are named"
    );
}
