//! The story as plain lines, for logs and pipes: what a step waits for, and how it ended.

use crate::story::{Change, Step, Story, shown};

/// The line for a change, if it is worth one. A step that is done at once gets one line; one that
/// has to be waited for says so once for each thing that it waits for.
pub(crate) fn line(story: &Story, change: Change) -> Option<String> {
    match change {
        Change::Ended(number) => Some(ended(&story.steps[number])),
        Change::Waits(number) => {
            let step = &story.steps[number];
            let says = step.says.as_deref().unwrap_or_default();
            Some(match &step.error {
                None => format!("… {:<14} {:>12}  {says}", step.state, ""),
                Some(error) => format!(
                    "… {:<14} {:>12}  {error}, trying again: {says}",
                    step.state, ""
                ),
            })
        }
        Change::Began(_) | Change::Went(_) | Change::Over => None,
    }
}

/// A step, ended or not, on one line.
pub(crate) fn told(step: &Step) -> String {
    match step.left {
        Some(_) => ended(step),
        None => {
            let says = step.says.as_deref().unwrap_or("…");
            format!("… {:<14} {:>12}  {says}", step.state, "")
        }
    }
}

/// A step that has ended, on one line.
pub(crate) fn ended(step: &Step) -> String {
    let elapsed = shown(step.elapsed(step.entered));
    let says = step.says.as_deref().unwrap_or_default();
    match &step.error {
        None => format!("✓ {:<14} {elapsed:>12}  {says}", step.state)
            .trim_end()
            .to_owned(),
        Some(error) => format!("✗ {:<14} {elapsed:>12}  {error}: {says}", step.state),
    }
}
