//! Changes the parameters of a running server: what it can change at once by `SET GLOBAL`, and what waits for a restart.
//!
//! How a value is spelled is the server's business (`16M`, `on`), so its own program is asked what a file comes to
//! ([`options::values`]), and only its answers are compared with each other.

use std::collections::BTreeSet;

use super::installation::Installation;
use super::layout::Layout;
use super::options::{self, NO_VALUE, Values};
use super::program::failed;
use super::server;
use super::session::{Session, column, literal};
use crate::engines::account::Account;
use crate::engines::{EngineError, PendingReboot, ServerSpec};

const ACTION: &str = "changing the parameters";

/// Everything that can be changed while the server runs, and that isn't what the server was compiled with.
const CHANGEABLE: &str =
    "SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE, GLOBAL_VALUE, GLOBAL_VALUE_ORIGIN
    FROM information_schema.SYSTEM_VARIABLES
    WHERE READ_ONLY = 'NO' AND VARIABLE_SCOPE <> 'SESSION ONLY'";

/// Writes the parameters and lets a running server have them.
pub(super) async fn reconfigure(
    spec: &ServerSpec,
    account: Account,
) -> Result<PendingReboot, EngineError> {
    let layout = Layout::new(&spec.directory);
    let installation = Installation::find().await?;
    let wanted = options::write(&layout, &installation, account, spec).await?;
    if server::find(&layout.data())?.is_none() {
        return Ok(PendingReboot::default());
    }
    let mut session = Session::open(&layout).await?;
    let dynamic = apply(&mut session, &layout, &wanted).await;
    session.close().await;
    let dynamic = dynamic?;

    let read = |path| std::fs::read_to_string(path).map_err(failed("reading the option file"));
    let (next, running) = (
        read(layout.option_file())?,
        read(layout.running_option_file())?,
    );
    let had = options::values(&installation, account, &layout.running_option_file()).await?;
    let parameters = options::names(&next)
        .chain(options::names(&running))
        .filter(|name| had.get(*name) != wanted.get(*name))
        .map(options::parameter_of)
        .filter(|name| !dynamic.contains(*name))
        .map(str::to_owned)
        .collect();
    Ok(PendingReboot { parameters })
}

/// Sets what the file names, and sets back what an earlier one named; returns the names of all that can be set.
async fn apply(
    session: &mut Session,
    layout: &Layout,
    wanted: &Values,
) -> Result<BTreeSet<String>, EngineError> {
    let file = std::fs::read_to_string(layout.option_file()).map_err(failed(ACTION))?;
    let named: BTreeSet<&str> = options::names(&file).map(options::parameter_of).collect();
    let mut dynamic = BTreeSet::new();
    for row in session.rows(CHANGEABLE, ACTION).await? {
        let (name, kind) = (column(&row, 0), column(&row, 1));
        let (value, origin) = (column(&row, 2), column(&row, 3));
        let was_set = matches!(origin.as_str(), "SQL" | "CONFIG");
        if let Some(wanted) = wanted.get(&options::option_of(&name))
            && (was_set || named.contains(name.as_str()))
            && *wanted != spelled_by_the_program(&value)
        {
            let statement = format!("SET GLOBAL {name} = {}", expression(wanted, &kind));
            let refused = |error: EngineError| EngineError::Parameters {
                reason: format!("{name}: {error}"),
            };
            let set = session.execute(statement, ACTION).await;
            set.map_err(refused)?;
        }
        dynamic.insert(name);
    }
    Ok(dynamic)
}

/// The program says TRUE and FALSE where the server says ON and OFF.
fn spelled_by_the_program(value: &str) -> &str {
    match value {
        "ON" => "TRUE",
        "OFF" => "FALSE",
        other => other,
    }
}

/// A value as the program spells it, in SQL.
fn expression(value: &str, kind: &str) -> String {
    let is_number = ["INT", "DOUBLE"].iter().any(|word| kind.contains(word));
    match value {
        NO_VALUE => "DEFAULT".to_owned(),
        "TRUE" | "FALSE" => value.to_owned(),
        _ if is_number => value.to_owned(),
        _ => literal(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are_and_texts_quoted() {
        assert_eq!(expression("16777216", "BIGINT UNSIGNED"), "16777216");
        assert_eq!(expression("TRUE", "BOOLEAN"), "TRUE");
        assert_eq!(expression("ANSI", "SET"), "'ANSI'");
        assert_eq!(expression(NO_VALUE, "VARCHAR"), "DEFAULT");
    }
}
