//! Slack's incoming webhooks: blocks for those who look, a text for notifications and for those
//! who listen. Slack's own three characters are escaped, and its limits kept: what is longer goes
//! into further blocks, because a command that is cut is none.

use serde_json::{Value, json};
use trapheus_restore::Secret;

use crate::error::DeliveryError;
use crate::http::{Http, Post};
use crate::message::{Item, Message, Section, Tone};
use crate::settings::items;

/// Of the heading.
const HEADER_LENGTH_MAX: usize = 150;
/// Of one block.
const BLOCK_LENGTH_MAX: usize = 3000;
/// Of the text beside the blocks; Slack cuts it somewhere after that.
const TEXT_LENGTH_MAX: usize = 3000;
/// Of one message.
const BLOCKS_MAX: usize = 50;

pub(crate) async fn send(
    http: &Http,
    urls: &Secret,
    message: &Message,
) -> Result<(), DeliveryError> {
    let body = payload(message).to_string();
    // One that fails keeps no other from being told.
    let mut failure = Ok(());
    for url in items(urls.reveal()) {
        let url = Secret::new(url);
        let post = Post {
            url: &url,
            body: &body,
            headers: &[],
        };
        failure = failure.and(http.post(&post).await);
    }
    failure
}

fn payload(message: &Message) -> Value {
    let header = format!("{} {}", sign(message.tone), message.title);
    let mut blocks = vec![
        json!({"type": "header", "text": {"type": "plain_text", "text": fit(&header, HEADER_LENGTH_MAX), "emoji": true}}),
        section(&fit(&message.headline, BLOCK_LENGTH_MAX)),
    ];
    let texts = message.sections.iter().flat_map(texts);
    blocks.extend(texts.map(|text| section(&text)));
    if blocks.len() >= BLOCKS_MAX {
        blocks.truncate(BLOCKS_MAX - 2);
        let id = &message.alert.execution_id;
        blocks.push(section(&format!(
            "There is more: `trapheus executions show {id}`"
        )));
    }
    blocks.push(json!({"type": "context", "elements": [
        {"type": "mrkdwn", "text": fit(&message.footer, BLOCK_LENGTH_MAX)}
    ]}));
    let text = format!("{}. {}", message.title, message.headline);
    json!({ "text": fit(&text, TEXT_LENGTH_MAX), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
}

fn sign(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => ":white_check_mark:",
        Tone::Attention => ":warning:",
        Tone::Bad => ":x:",
        Tone::Urgent => ":rotating_light:",
    }
}

/// A section in as many texts as Slack's limit asks for.
fn texts(section: &Section) -> Vec<String> {
    let mut texts = vec![format!("*{}*", section.title)];
    for item in &section.items {
        let item = match item {
            Item::Text(text) => format!("• {}", fit(text, BLOCK_LENGTH_MAX - 2)),
            // A backtick would end what is to be typed.
            Item::Command(text) => {
                format!(
                    "```{}```",
                    fit(&text.replace('`', "'"), BLOCK_LENGTH_MAX - 6)
                )
            }
        };
        match texts.last_mut() {
            Some(last) if length(last) + 1 + length(&item) <= BLOCK_LENGTH_MAX => {
                last.push('\n');
                last.push_str(&item);
            }
            _ => texts.push(item),
        }
    }
    texts
}

/// Slack counts as JavaScript does.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text as Slack wants it, whose escaped form is at most so long: an escape is never cut.
fn fit(text: &str, length_max: usize) -> String {
    let mut fitting = String::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let mut buffer = [0; 4];
        let escaped = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            other => other.encode_utf8(&mut buffer),
        };
        // One is left for the mark that something is missing.
        let room = length_max - usize::from(rest.peek().is_some());
        if length(&fitting) + length(escaped) > room {
            fitting.push('…');
            break;
        }
        fitting.push_str(escaped);
    }
    fitting
}
