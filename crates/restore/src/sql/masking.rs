//! Which columns the preparation leaves as they are, although their names say that they must not
//! be: a simple look at the scripts, which rather finds too much.
//!
//! A statement masks a column when it changes its table (`UPDATE`, `ALTER`, `MERGE`, `REPLACE`)
//! and names both; or when it empties, drops or refreshes the whole table. Names in comments and
//! strings don't count, nor does a table of another schema that is named without it.

use super::text::{Statement, Token, statements};
use super::{Column, Dialect, Server};

/// What changes the columns that are named with it.
const CHANGES: [&str; 4] = ["update", "alter", "merge", "replace"];
/// What follows `DROP` when it drops everything.
const DROPPED: [&str; 3] = ["table", "foreign", "materialized"];

/// The columns whose names match a pattern and that no script masks.
pub(crate) fn unmasked<'a>(
    server: &Server,
    patterns: &[String],
    scripts: &[String],
    columns: &'a [Column],
) -> Vec<&'a Column> {
    let statements: Vec<Statement<'_>> = scripts
        .iter()
        .flat_map(|script| statements(server.dialect, script))
        .collect();
    let clauses: Vec<&[Token]> = statements
        .iter()
        .flat_map(|statement| statement.tokens.split(|token| *token == Token::End))
        .collect();
    let is_masked = |column: &Column| {
        let is_reached = server.dialect == Dialect::MySql
            || Some(&column.database) == server.credentials.database.as_ref();
        is_reached && clauses.iter().any(|clause| masks(server, clause, column))
    };
    let is_meant = |column: &&Column| {
        patterns
            .iter()
            .any(|pattern| matches(pattern, &column.name))
    };
    columns
        .iter()
        .filter(is_meant)
        .filter(|column| !is_masked(column))
        .collect()
}

/// Whether a column's name is what a pattern means, whatever the case: `*` is any text, and a
/// pattern without one may be anywhere in the name.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase(), name.to_lowercase());
    let Some((begin, rest)) = pattern.split_once('*') else {
        return name.contains(&pattern);
    };
    let Some(mut name) = name.strip_prefix(begin) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match name.find(part) {
            Some(at) => name = &name[at + part.len()..],
            None => return false,
        }
    }
    name.ends_with(end)
}

fn masks(server: &Server, clause: &[Token], column: &Column) -> bool {
    if !names_table(server, clause, column) {
        return false;
    }
    let has = |word: &str| clause.iter().any(|token| token.is(word));
    let drops = clause
        .windows(2)
        .any(|pair| pair[0].is("drop") && DROPPED.iter().any(|what| pair[1].is(what)));
    let empties = has("delete") && !["where", "using", "limit", "join"].into_iter().any(has);
    if drops || empties || has("truncate") || has("refresh") {
        return true;
    }
    let name = server.dialect.folded_quoted(&column.name);
    CHANGES.into_iter().any(has) && has(&name)
}

/// Whether the table is named: with its schema, or without where that is the usual one.
fn names_table(server: &Server, clause: &[Token], column: &Column) -> bool {
    let (table, schema) = (
        server.dialect.folded_quoted(&column.table),
        server.dialect.folded_quoted(&column.schema),
    );
    let usual = match server.dialect {
        Dialect::Postgres => Some("public".to_owned()),
        Dialect::MySql => server.credentials.database.clone(),
    };
    let is_usual = usual.is_some_and(|usual| server.dialect.folded_quoted(&usual) == schema);
    (0..clause.len()).any(|at| {
        clause[at].is(&table)
            && match &clause[..at] {
                [.., owner, Token::Dot] => owner.is(&schema),
                _ => is_usual,
            }
    })
}
