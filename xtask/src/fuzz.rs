//! `cargo xtask fuzz`: documents made by chance, for longer than a usual test run tries them.

use crate::process;

const USAGE: &str = "usage: cargo xtask fuzz [definitions|inputs|requests|answers] [--minutes N]";

/// Each target for so many minutes; all of them beside each other.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let (mut target, mut minutes) = (None, 1);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), &target) {
            ("--minutes", _) => {
                let given = arguments.next().and_then(|given| given.parse().ok());
                minutes = given.ok_or(USAGE)?;
            }
            (name, None) if !name.starts_with('-') => target = Some(name.to_owned()),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let seconds: u64 = 60 * minutes;
    // Of the whole workspace, so that the dependencies have the features that they have anyway.
    process::run(
        process::cargo()
            .args(["test", "--quiet", "--locked", "--workspace"])
            .args(["--test", "fuzz", "--"])
            .args(target.iter().flat_map(|target| ["--exact", target]))
            .env("FUZZ_SECONDS", seconds.to_string()),
    )
}
