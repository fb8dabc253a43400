//! SQL read just well enough to tell statements, words and names from comments and strings. It
//! never decides what is sent to a server: scripts go there whole.

use super::Dialect;

/// What a script is made of, besides blanks, comments and strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A word or a quoted name, as the server compares it.
    Word(String),
    /// Between the parts of a name.
    Dot,
    /// The end of a statement inside a block.
    End,
    /// Anything else.
    Other,
}

impl Token {
    /// Whether it is this word; words of the language are compared in lower case.
    pub(crate) fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(text) if text == word)
    }
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement<'a> {
    /// As it is written.
    pub(crate) text: &'a str,
    /// What it is made of.
    pub(crate) tokens: Vec<Token>,
}

/// Splits a script at the semicolons that end statements; what holds nothing is left out.
pub(crate) fn statements(dialect: Dialect, script: &str) -> Vec<Statement<'_>> {
    let mut reader = Reader {
        dialect,
        text: script,
        at: 0,
    };
    let mut statements = Vec::new();
    let mut begin = None;
    let mut tokens = Vec::new();
    loop {
        let before = reader.at;
        let lexeme = reader.next();
        let ends = matches!(lexeme, None | Some(Lexeme::Semicolon));
        if ends && !tokens.is_empty() {
            let text = script[begin.take().unwrap_or(before)..before].trim();
            statements.push(Statement {
                text,
                tokens: std::mem::take(&mut tokens),
            });
        }
        let Some(lexeme) = lexeme else {
            return statements;
        };
        match lexeme {
            Lexeme::Semicolon => begin = None,
            Lexeme::Blank => {}
            lexeme => {
                begin.get_or_insert(before);
                match lexeme {
                    Lexeme::Token(token) => tokens.push(token),
                    // The block that a DO runs is SQL; any other quoted text is data.
                    Lexeme::Quoted(body) if tokens.first().is_some_and(|first| first.is("do")) => {
                        for inner in self::statements(dialect, body) {
                            tokens.extend(inner.tokens);
                            tokens.push(Token::End);
                        }
                    }
                    Lexeme::Quoted(_) | Lexeme::Semicolon | Lexeme::Blank => {
                        tokens.push(Token::Other);
                    }
                }
            }
        }
    }
}

/// A statement as people may read it: without its comments, and with `'…'` for each of its strings,
/// which may be a password or a person's data.
pub(crate) fn without_strings(dialect: Dialect, text: &str) -> String {
    let mut shown = String::new();
    for_each_lexeme(dialect, text, |written, lexeme| match lexeme {
        Lexeme::Blank => shown.push(' '),
        _ if is_string(written, lexeme) => shown.push_str("'…'"),
        _ => shown.push_str(written),
    });
    shown
}

/// What is inside the strings of a script.
pub(crate) fn strings(dialect: Dialect, script: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for_each_lexeme(dialect, script, |written, lexeme| match lexeme {
        Lexeme::Quoted(body) => found.push(*body),
        _ if is_string(written, lexeme) => {
            let inner = written.trim_start_matches(['e', 'E']);
            found.push(inner.trim_matches(['\'', '"']));
        }
        _ => {}
    });
    found
}

fn for_each_lexeme<'a>(
    dialect: Dialect,
    text: &'a str,
    mut take: impl FnMut(&'a str, &Lexeme<'a>),
) {
    let mut reader = Reader {
        dialect,
        text,
        at: 0,
    };
    loop {
        let before = reader.at;
        let Some(lexeme) = reader.next() else {
            return;
        };
        take(&text[before..reader.at], &lexeme);
    }
}

/// Of what is neither a word nor a name, only strings hold quotes.
fn is_string(written: &str, lexeme: &Lexeme<'_>) -> bool {
    match lexeme {
        Lexeme::Quoted(_) => true,
        Lexeme::Token(Token::Other) => written.contains(['\'', '"']),
        Lexeme::Token(_) | Lexeme::Semicolon | Lexeme::Blank => false,
    }
}

enum Lexeme<'a> {
    Token(Token),
    Semicolon,
    /// Blanks and comments.
    Blank,
    /// A dollar-quoted text.
    Quoted(&'a str),
}

struct Reader<'a> {
    dialect: Dialect,
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<Lexeme<'a>> {
        let rest = &self.text[self.at..];
        let first = rest.chars().next()?;
        let is_mysql = self.dialect == Dialect::MySql;
        Some(match first {
            _ if first.is_whitespace() => {
                self.at += first.len_utf8();
                Lexeme::Blank
            }
            '-' if self.begins_line_comment(rest) => self.skip_to("\n"),
            '#' if is_mysql => self.skip_to("\n"),
            '/' if rest.starts_with("/*") => self.block_comment(),
            ';' => {
                self.at += 1;
                Lexeme::Semicolon
            }
            '.' => self.token(1, Token::Dot),
            '\'' => self.string(is_mysql),
            '"' if is_mysql => self.string(true),
            '"' | '`' if first == '"' || is_mysql => self.name(first),
            '$' if !is_mysql => self.dollar(),
            _ if first.is_alphabetic() || first == '_' => self.word(),
            _ => self.token(first.len_utf8(), Token::Other),
        })
    }

    fn token(&mut self, length: usize, token: Token) -> Lexeme<'a> {
        self.at += length;
        Lexeme::Token(token)
    }

    /// MySQL wants a blank after the dashes, or they are two minus signs.
    fn begins_line_comment(&self, rest: &str) -> bool {
        let Some(after) = rest.strip_prefix("--") else {
            return false;
        };
        let is_followed = after.chars().next().is_none_or(|next| next.is_whitespace());
        self.dialect == Dialect::Postgres || is_followed
    }

    fn skip_to(&mut self, end: &str) -> Lexeme<'a> {
        let rest = &self.text[self.at..];
        self.at += rest.find(end).map_or(rest.len(), |found| found + end.len());
        Lexeme::Blank
    }

    /// PostgreSQL's nest.
    fn block_comment(&mut self) -> Lexeme<'a> {
        if self.dialect == Dialect::MySql {
            self.at += 2;
            return self.skip_to("*/");
        }
        let mut depth = 0;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    break;
                }
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
        Lexeme::Blank
    }

    fn string(&mut self, has_escapes: bool) -> Lexeme<'a> {
        self.quoted(has_escapes);
        Lexeme::Token(Token::Other)
    }

    fn name(&mut self, quote: char) -> Lexeme<'a> {
        let inner = self.quoted(false);
        let doubled = [quote, quote].iter().collect::<String>();
        let name = inner.replace(&doubled, &quote.to_string());
        Lexeme::Token(Token::Word(self.dialect.folded_quoted(&name)))
    }

    /// Reads from a quote to its counterpart; a doubled one is a part of it.
    fn quoted(&mut self, has_escapes: bool) -> &'a str {
        let rest = &self.text[self.at..];
        let quote = rest.chars().next().unwrap_or('\'');
        let mut chars = rest.char_indices().skip(1).peekable();
        while let Some((at, char)) = chars.next() {
            if char == '\\' && has_escapes {
                chars.next();
            } else if char == quote {
                if chars.peek().is_some_and(|(_, next)| *next == quote) {
                    chars.next();
                } else {
                    self.at += at + 1;
                    return &rest[1..at];
                }
            }
        }
        self.at = self.text.len();
        &rest[1..]
    }

    /// A dollar-quoted text, or a parameter's number.
    fn dollar(&mut self) -> Lexeme<'a> {
        let rest = &self.text[self.at..];
        let is_of_tag = |char: char| char.is_alphanumeric() || char == '_';
        let end_of_tag = rest[1..].find(|char| !is_of_tag(char)).map(|end| end + 1);
        let is_number = rest[1..].starts_with(|char: char| char.is_ascii_digit());
        let Some(end) = end_of_tag.filter(|end| rest[*end..].starts_with('$') && !is_number) else {
            return self.token(1, Token::Other);
        };
        let tag = &rest[..=end];
        let body = &rest[tag.len()..];
        let length = body.find(tag);
        self.at += tag.len() + length.map_or(body.len(), |length| length + tag.len());
        Lexeme::Quoted(&body[..length.unwrap_or(body.len())])
    }

    fn word(&mut self) -> Lexeme<'a> {
        let rest = &self.text[self.at..];
        let is_of_word = |char: char| char.is_alphanumeric() || char == '_' || char == '$';
        let length = rest.find(|char| !is_of_word(char)).unwrap_or(rest.len());
        self.at += length;
        let word = &rest[..length];
        // PostgreSQL's E'…' knows escapes.
        if self.dialect == Dialect::Postgres
            && word.eq_ignore_ascii_case("e")
            && rest[length..].starts_with('\'')
        {
            return self.string(true);
        }
        Lexeme::Token(Token::Word(word.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dialect: Dialect, script: &str) -> Vec<&str> {
        let statements = statements(dialect, script);
        statements.iter().map(|statement| statement.text).collect()
    }

    fn words(dialect: Dialect, script: &str) -> Vec<String> {
        let statements = statements(dialect, script).into_iter();
        let tokens = statements.flat_map(|statement| statement.tokens);
        tokens
            .filter_map(|token| match token {
                Token::Word(word) => Some(word),
                Token::Dot | Token::End | Token::Other => None,
            })
            .collect()
    }

    #[test]
    fn semicolons_in_strings_comments_and_quotes_end_nothing() {
        let script = "SELECT ';'; -- one; two\nSELECT $$;$$, \";\" /* ; /* ; */ ; */;;\n";
        let found = texts(Dialect::Postgres, script);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0], "SELECT ';'");
        let script = "SELECT ';', \";\", `;` # ;\n; SELECT 1 --2\n;";
        assert_eq!(texts(Dialect::MySql, script).len(), 2);
    }

    #[test]
    fn words_are_what_is_neither_a_comment_nor_a_string() {
        let script = r#"UPDATE Users SET "Email" = E'it\'s phone' -- phone"#;
        assert_eq!(
            words(Dialect::Postgres, script),
            ["update", "users", "set", "Email"]
        );
        let script = "UPDATE `Users` SET Email = \"it\\\"s phone\" # phone";
        assert_eq!(
            words(Dialect::MySql, script),
            ["update", "users", "set", "email"]
        );
    }

    #[test]
    fn the_block_of_a_do_is_sql_and_a_quoted_text_is_not() {
        let script = "DO $x$ BEGIN UPDATE users SET email = $$phone$$; END $x$";
        let found = words(Dialect::Postgres, script);
        assert!(found.contains(&"email".to_owned()) && !found.contains(&"phone".to_owned()));
        assert!(!words(Dialect::Postgres, "SELECT $$email$$, $1").contains(&"email".to_owned()));
        assert_eq!(texts(Dialect::Postgres, script).len(), 1);
    }

    #[test]
    fn strings_are_not_shown() {
        let script = "ALTER ROLE \"app\" PASSWORD 'it''s secret' /* secret */, E'a\\'secret', 17";
        let shown = without_strings(Dialect::Postgres, script);
        assert!(!shown.contains("secret"), "{shown}");
        assert!(
            shown.starts_with("ALTER ROLE \"app\" PASSWORD '…'"),
            "{shown}"
        );
        assert!(shown.ends_with("'…', 17"), "{shown}");
        let script = "DO $x$ BEGIN secret; END $x$; SELECT $$secret$$, $1";
        let shown = without_strings(Dialect::Postgres, script);
        assert_eq!(shown, "DO '…'; SELECT '…', $1");
        let script = "SET PASSWORD FOR `app` = \"secret\"; # secret\n";
        let shown = without_strings(Dialect::MySql, script);
        assert!(
            !shown.contains("secret") && shown.contains("`app`"),
            "{shown}"
        );
        let found = strings(Dialect::Postgres, "SELECT 'one', E'two', $x$three$x$, four");
        assert_eq!(found, ["one", "two", "three"]);
    }

    #[test]
    fn what_never_ends_is_read_to_its_end() {
        for script in ["'a", "\"a", "$a$b", "/* a", "/* /* */", "E'\\", "$", "--"] {
            for dialect in [Dialect::Postgres, Dialect::MySql] {
                statements(dialect, script);
                without_strings(dialect, script);
                strings(dialect, script);
            }
        }
    }
}
