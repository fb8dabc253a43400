//! Takes out of a text what is different in every run: identities, times and addresses.

/// The text with a word in brackets for everything that nobody can expect.
pub(crate) fn redacted(text: &str) -> String {
    let mut redacted = String::new();
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || "_-.:".contains(character) {
            word.push(character);
        } else {
            redacted.push_str(&replaced(&word));
            word.clear();
            redacted.push(character);
        }
    }
    redacted + &replaced(&word)
}

fn replaced(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let ending = &word[bare.len()..];
    let replacement = match bare {
        _ if bare.starts_with("run_") => "[execution]",
        _ if bare.starts_with("db-") && bare.len() == 29 => "[resource]",
        _ if bare.starts_with("127.") => "[address]",
        _ if bare.starts_with("20") && bare.contains('T') => "[time]",
        _ if is_decimal(bare) => "[n]",
        _ => match bare.rsplit_once('-') {
            Some((rest, time)) if time.starts_with("20") && time.ends_with('z') => {
                return format!("{rest}-[time]{ending}");
            }
            Some(_) | None => bare,
        },
    };
    format!("{replacement}{ending}")
}

fn is_decimal(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.')
        .is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}
