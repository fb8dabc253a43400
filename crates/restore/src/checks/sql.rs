//! The user's SQL: whether we speak the engine's, and whether there is something to log in with.

use super::Check;
use crate::input::{MasterPassword, Request};
use crate::plan::{LoginSource, PreparePlan, ScriptsPlan, SqlPlan};
use crate::secrets::Secrets;
use crate::sql::Dialect;
use crate::sql::text::statements;
use trapheus_rds::MasterUserSecret;

const NAME: &str = "SQL";

/// What ends the transaction in which all scripts run.
const ENDS_TRANSACTION: [&str; 6] = ["begin", "start", "commit", "end", "rollback", "abort"];

/// Chooses what the SQL of a request logs in with, and says what is in its way.
///
/// # Errors
/// The engine's SQL is none that we speak, a script can't run as it is, or there is no login.
pub(crate) fn choose(
    request: &Request,
    engine: &str,
    password: &MasterPassword,
    has_settings: bool,
) -> Result<Option<SqlPlan>, Check> {
    if request.prepare.is_none() && request.verify.is_none() {
        return Ok(None);
    }
    let dialect = Dialect::of(engine).ok_or_else(|| {
        Check::fail(
            NAME,
            format!("there is no SQL for {engine} yet: of PostgreSQL, MySQL and MariaDB only"),
        )
    })?;
    let scripts = request.prepare.iter().flat_map(|asked| &asked.sql);
    let questions = request.verify.iter().flat_map(|asked| &asked.sql);
    let is_empty = |script: &&String| statements(dialect, script).is_empty();
    if scripts
        .clone()
        .chain(questions)
        .any(|script| is_empty(&script))
    {
        let detail = "a script holds no statement, which was hardly meant: comments prove nothing";
        return Err(Check::fail(NAME, detail));
    }
    if dialect == Dialect::Postgres
        && let Some(ends) = scripts
            .into_iter()
            .find_map(|script| ends_transaction(script))
    {
        let detail =
            format!("all scripts run in one transaction, and `{ends}` would end it: leave it out");
        return Err(Check::fail(NAME, detail));
    }
    let login = match (&request.credentials, password) {
        (Some(arn), _) => LoginSource::Secret(arn.clone()),
        (None, _) if has_settings => LoginSource::Settings,
        (None, MasterPassword::Secret(arn)) => LoginSource::MasterPassword(arn.clone()),
        (None, MasterPassword::Managed) => LoginSource::Managed,
        (None, MasterPassword::KeepSnapshot) => {
            let detail = "there is nothing to log in with: name a secret (`credentials`), or set \
                          TRAPHEUS_VERIFY_PASSWORD";
            return Err(Check::fail(NAME, detail));
        }
    };
    let plan = |database: &Option<String>, scripts: &[String]| ScriptsPlan {
        database: database.clone(),
        statements: scripts
            .iter()
            .map(|script| statements(dialect, script).len())
            .sum(),
    };
    Ok(Some(SqlPlan {
        login,
        prepare: request.prepare.as_ref().map(|asked| PreparePlan {
            scripts: plan(&asked.database, &asked.sql),
            quarantine: asked.quarantine,
            require_masked: asked.require_masked.clone(),
        }),
        verify: request
            .verify
            .as_ref()
            .map(|asked| plan(&asked.database, &asked.sql)),
    }))
}

/// The statement of a script that would end the transaction.
fn ends_transaction(script: &str) -> Option<String> {
    let statements = statements(Dialect::Postgres, script).into_iter();
    let mut ends = statements.filter(|statement| {
        let is = |word: &&str| statement.tokens.first().is_some_and(|first| first.is(word));
        // To go back to a savepoint is another matter.
        let goes_back = statement.tokens.iter().any(|token| token.is("to"));
        ENDS_TRANSACTION.iter().any(is) && !goes_back
    });
    ends.next().map(|statement| statement.text.to_owned())
}

/// Looks whether the login can be had.
pub(crate) async fn check(
    sql: &SqlPlan,
    managed: Option<&MasterUserSecret>,
    secrets: &dyn Secrets,
) -> Check {
    let (arn, whose) = match (&sql.login, managed) {
        (LoginSource::Settings, _) => {
            return Check::pass(
                NAME,
                "logs in to the restored database with what the settings name",
            );
        }
        (LoginSource::Managed, None) => {
            return Check::warn(
                NAME,
                "logs in with the secret that RDS will keep the new master password in; whether it may be read \
                 isn't known before it exists",
            );
        }
        (LoginSource::Secret(arn), _) => (arn, "with the secret"),
        (LoginSource::MasterPassword(arn), _) => {
            (arn, "with the new master password, of the secret")
        }
        (LoginSource::Managed, Some(secret)) => (
            &secret.arn,
            "with the restored database's managed secret, as it could with",
        ),
    };
    match secrets.login(arn).await {
        Ok(_) => Check::pass(
            NAME,
            format!("logs in to the restored database {whose} {arn}"),
        ),
        Err(error) => Check::fail(NAME, format!("the secret {arn} can't be used: {error}")),
    }
}
