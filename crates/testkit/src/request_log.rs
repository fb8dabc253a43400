//! The requests of a run as a text that can be compared: what differs from run to run has a word
//! in its place, and what is asked again and again stands there once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use trapheus_local::RequestEntry;

/// One request per line, its members below it; `words` are written instead of what they stand for.
///
/// A request that repeats one of the few before it, with the same members, is a poll: it is told
/// by `×N` only.
pub fn print(requests: &[RequestEntry], words: &BTreeMap<String, String>) -> String {
    let mut entries: Vec<(String, bool)> = Vec::new();
    for request in requests {
        let entry = one(request, words);
        match entries
            .iter_mut()
            .rev()
            .take(POLLED_TOGETHER)
            .find(|(earlier, _)| *earlier == entry)
        {
            Some((_, is_repeated)) if is_look(request) => *is_repeated = true,
            _ => entries.push((entry, false)),
        }
    }
    let lines = entries
        .into_iter()
        .map(|(entry, is_repeated)| match is_repeated {
            true => entry.replacen('\n', " ×N\n", 1),
            false => entry,
        });
    lines.collect()
}

/// So many different looks belong to one poll at most.
const POLLED_TOGETHER: usize = 4;

fn is_look(request: &RequestEntry) -> bool {
    ["Describe", "List"]
        .iter()
        .any(|verb| request.action.starts_with(verb))
}

fn one(request: &RequestEntry, words: &BTreeMap<String, String>) -> String {
    let refused = if request.status == 200 {
        ""
    } else {
        " (refused)"
    };
    let mut text = format!("{}{refused}\n", request.action);
    for (name, value) in &request.parameters {
        let is_time = value.parse::<jiff::Timestamp>().is_ok();
        let mut value = if is_time {
            "TIME".to_owned()
        } else {
            value.clone()
        };
        for (meant, word) in words {
            value = value.replace(meant, word);
        }
        writeln!(text, "  {name}={value}").expect("a text takes everything");
    }
    text
}
