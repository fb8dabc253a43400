//! Plain text: the other half of an e-mail, and what SNS carries.

use crate::message::{Item, Message};

/// Everything, readable in any font.
pub(crate) fn body(message: &Message) -> String {
    let mut lines = vec![message.headline.clone()];
    for section in &message.sections {
        lines.extend([String::new(), format!("{}:", section.title)]);
        lines.extend(section.items.iter().map(|item| match item {
            Item::Text(text) => format!("  - {text}"),
            Item::Command(text) => format!("    {text}"),
        }));
    }
    lines.extend([
        String::new(),
        format!("Trapheus, {}", message.footer),
        String::new(),
    ]);
    lines.join("\n")
}

/// One line of at most so many characters, for a header that others parse.
pub(crate) fn subject(message: &Message, length_max: usize) -> String {
    let text = format!("[Trapheus] {}", message.title);
    let is_plain =
        |character: char| !character.is_control() && !['\u{2028}', '\u{2029}'].contains(&character);
    let line: String = text
        .chars()
        .map(|character| if is_plain(character) { character } else { ' ' })
        .collect();
    cut(&line, length_max)
}

/// At most so many characters, with a mark where something is missing.
pub(crate) fn cut(text: &str, length_max: usize) -> String {
    if text.chars().count() <= length_max {
        return text.to_owned();
    }
    const MARK: &str = "...";
    let kept = text.chars().take(length_max.saturating_sub(MARK.len()));
    kept.chain(MARK.chars()).collect()
}
