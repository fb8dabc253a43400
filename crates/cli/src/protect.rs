//! Targets that the user protects: their identifier has to be typed before anything changes.

use std::io::{self, BufRead, IsTerminal, Write};

use trapheus_rds::DbIdentifier;

use crate::error::{Context, Failure};
use crate::home;
use crate::settings::Settings;

/// Lets unprotected targets pass; for others asks for the identifier, or takes `--confirm`.
pub(crate) async fn check(
    settings: &Settings,
    identifier: &DbIdentifier,
    confirmed: Option<&str>,
) -> Result<(), Failure> {
    let Some(pattern) = protecting(settings, identifier).await? else {
        return Ok(());
    };
    let typed = match confirmed {
        Some(typed) => typed.to_owned(),
        None if io::stdin().is_terminal() => ask(identifier, &pattern)?,
        None => String::new(),
    };
    if typed.trim().eq_ignore_ascii_case(identifier.as_str()) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{identifier} is protected by {pattern:?} and was not confirmed"
    ))
    .hint(format!("pass --confirm {identifier}")))
}

/// The first pattern that protects the target. Tags are looked at only if a pattern names one.
async fn protecting(
    settings: &Settings,
    identifier: &DbIdentifier,
) -> Result<Option<String>, Failure> {
    let (by_tag, by_name): (Vec<_>, Vec<_>) = settings
        .protect
        .iter()
        .partition(|pattern| pattern.starts_with("tag:"));
    if let Some(pattern) = by_name
        .into_iter()
        .find(|pattern| matches(pattern, identifier.as_str()))
    {
        return Ok(Some(pattern.clone()));
    }
    if by_tag.is_empty() {
        return Ok(None);
    }
    let instance = home::connect(settings)
        .await?
        .instance(identifier)
        .await
        .context(format_args!("look at {identifier}"))?;
    let tags = instance.map(|instance| instance.tags).unwrap_or_default();
    let carried = |pattern: &&&String| {
        let (key, value) = pattern["tag:".len()..]
            .split_once('=')
            .unwrap_or((&pattern[4..], "*"));
        tags.iter()
            .any(|(name, found)| name == key && matches(value, found))
    };
    Ok(by_tag
        .iter()
        .find(carried)
        .map(|pattern| (*pattern).clone()))
}

fn ask(identifier: &DbIdentifier, pattern: &str) -> Result<String, Failure> {
    let mut stderr = io::stderr();
    write!(
        stderr,
        "{identifier} is protected by {pattern:?}. Type its identifier to go on: "
    )
    .and_then(|()| stderr.flush())
    .context("ask for the identifier")?;
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("read the identifier")?;
    Ok(line)
}

/// Whether a text matches a pattern in which `*` stands for anything; case does not matter.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("prod-*", "prod-orders"),
            ("*", ""),
            ("orders", "ORDERS"),
            ("*-prod-*", "eu-prod-1"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("prod-*", "staging-prod"),
            ("orders", "orders2"),
            ("a*a", "a"),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
