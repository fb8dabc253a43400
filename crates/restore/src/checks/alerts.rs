//! Who is told of the execution, and after how long it counts as running long.

use std::collections::BTreeSet;

use super::Check;
use crate::alert::{AlertKind, Notifier, Recipient};
use crate::plan::Plan;

const NAME: &str = "alerts";

/// How often an execution may take as long as expected before people are told.
const PATIENCE: u64 = 2;

/// What the plan says of alerts.
pub(crate) struct Told {
    /// Nothing where nobody is to be told and nobody has asked for it.
    pub(crate) check: Option<Check>,
    pub(crate) long_running_after_seconds: Option<u64>,
}

/// Chooses from the settings and from what the input asks for. An execution is expected to take
/// so many seconds.
pub(crate) fn choose(notifier: &dyn Notifier, plan: &Plan, expected_seconds: u64) -> Told {
    let asked = &plan.notify;
    let mut channels = BTreeSet::new();
    let mut is_told_of_time = false;
    for kind in AlertKind::ALL {
        match notifier.audience(kind, asked) {
            Ok(told) => {
                is_told_of_time |= kind == AlertKind::LongRunning && !told.is_empty();
                channels.extend(told);
            }
            Err(recipient) => {
                return Told {
                    check: Some(Check::fail(NAME, unknown(&recipient))),
                    long_running_after_seconds: None,
                };
            }
        }
    }
    let channels: Vec<String> = channels.into_iter().collect();
    let check = match channels.is_empty() {
        true if asked.is_empty() => None,
        true => Some(Check::warn(
            NAME,
            "nobody is told: the settings name no channel",
        )),
        false => Some(Check::pass(NAME, format!("told: {}", channels.join(", ")))),
    };
    let patience = asked
        .long_running_after_seconds
        .or(notifier.patience_seconds())
        .unwrap_or_else(|| PATIENCE * expected_seconds);
    Told {
        check,
        long_running_after_seconds: is_told_of_time.then_some(patience),
    }
}

fn unknown(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Channel(name) => format!("the settings know no channel `{name}`"),
        Recipient::Address(address) => {
            format!("{address} can't be written to: the settings name no sender of e-mail")
        }
    }
}
