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
    line(&format!("[Trapheus] {}", message.title), length_max)
}

fn line(text: &str, length_max: usize) -> String {
    let ends_a_line =
        |character: char| character.is_control() || ['\u{2028}', '\u{2029}'].contains(&character);
    cut(&text.replace(ends_a_line, " "), length_max)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_header() {
        assert_eq!(line("a\r\nBcc: b\u{2028}c\0", 99), "a  Bcc: b c ");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(line(&"x".repeat(99), 99).len(), 99);
        let cut = line(&"ö".repeat(100), 99);
        assert_eq!(cut.chars().count(), 99);
        assert!(cut.ends_with("ö..."));
    }
}
