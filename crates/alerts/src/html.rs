//! The page of an e-mail: tables and styles in place, because mail programs know no others. Every
//! text is escaped: errors quote what strangers have written.

use crate::message::{Item, Message, Section, Tone};

/// Around everything.
const PAGE: &str = "margin:0;padding:24px 12px;background:#f3f4f6;color:#1f2937;\
    font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";
const CARD: &str = "width:100%;max-width:640px;margin:0 auto;background:#ffffff;\
    border:1px solid #e5e7eb;border-collapse:separate;border-spacing:0;border-radius:8px;overflow:hidden";
const TITLE: &str = "margin:0;font-size:20px;line-height:1.3;font-weight:600";
const HEADLINE: &str = "padding:20px 24px 4px;overflow-wrap:anywhere";
const SECTION: &str = "padding:12px 24px 4px";
const HEADING: &str = "margin:0 0 4px;font-size:12px;line-height:1.4;font-weight:600;\
    letter-spacing:.04em;text-transform:uppercase;color:#6b7280";
const LIST: &str = "margin:0;padding:0 0 0 18px;overflow-wrap:anywhere";
const COMMAND: &str = "margin:4px 0;padding:8px 12px;background:#f3f4f6;border-radius:4px;\
    font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;\
    overflow-wrap:anywhere";
const FOOTER: &str = "padding:16px 24px;font-size:12px;color:#6b7280;border-top:1px solid #e5e7eb";

/// The whole page.
pub(crate) fn page(message: &Message) -> String {
    let (title, headline) = (escape(&message.title), escape(&message.headline));
    let sections: String = message.sections.iter().map(section).collect();
    let footer = escape(&message.footer);
    let (ink, paper) = colours(message.tone);
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
</head>
<body style="{PAGE}">
<table role="presentation" style="{CARD}">
<tr><td style="padding:20px 24px;background:{paper};color:{ink};border-left:6px solid {ink}"><h1 style="{TITLE}">{title}</h1></td></tr>
<tr><td style="{HEADLINE}">{headline}</td></tr>
{sections}<tr><td style="height:12px"></td></tr>
<tr><td style="{FOOTER}">Trapheus, {footer}</td></tr>
</table>
</body>
</html>
"#
    )
}

/// Dark on light, of the same hue.
fn colours(tone: Tone) -> (&'static str, &'static str) {
    match tone {
        Tone::Good => ("#166534", "#dcfce7"),
        Tone::Attention => ("#854d0e", "#fef9c3"),
        Tone::Bad => ("#991b1b", "#fee2e2"),
        Tone::Urgent => ("#ffffff", "#b91c1c"),
    }
}

fn section(section: &Section) -> String {
    let mut html = format!(
        r#"<tr><td style="{SECTION}"><h2 style="{HEADING}">{}</h2>"#,
        escape(section.title)
    );
    let mut is_in_list = false;
    for item in &section.items {
        let is_text = matches!(item, Item::Text(_));
        if is_text != is_in_list {
            html.push_str(&match is_text {
                true => format!(r#"<ul style="{LIST}">"#),
                false => "</ul>".to_owned(),
            });
            is_in_list = is_text;
        }
        let text = escape(item.text());
        html.push_str(&match is_text {
            true => format!("<li>{text}</li>"),
            false => format!(r#"<pre style="{COMMAND}">{text}</pre>"#),
        });
    }
    if is_in_list {
        html.push_str("</ul>");
    }
    html.push_str("</td></tr>\n");
    html
}

/// What is markup becomes text, also inside quotation marks.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
