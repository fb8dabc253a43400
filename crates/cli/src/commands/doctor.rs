//! `trapheus doctor`: says what is missing and how to get it.

use serde::Serialize;
use serde_json::json;
use trapheus_local::engines::{EngineError, mariadb, postgres};
use trapheus_rds::Rds;

use crate::error::{Failure, chain};
use crate::exit::Exit;
use crate::home;
use crate::printer::Printer;
use crate::settings::{Settings, Sourced};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    what: &'static str,
    state: State,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Good,
    /// Something is missing that only some commands need.
    Missing,
    /// Nothing works without it.
    Bad,
}

pub(crate) async fn run(settings: &Settings, printer: Printer) -> Result<Exit, Failure> {
    let mut findings = vec![in_force(settings), executions(settings)];
    match home::connect(settings).await {
        Ok(rds) => findings.push(api(&rds).await),
        Err(failure) => findings.push(Finding {
            what: "AWS settings",
            state: State::Bad,
            detail: failure.message,
            remedy: failure.hint,
        }),
    }
    findings.push(local_postgres().await);
    findings.push(local_mariadb().await);
    let text: Vec<String> = findings.iter().map(Finding::shown).collect();
    printer.result(&json!({ "findings": findings }), &text.join("\n"));
    let bad = findings.iter().any(|finding| finding.state == State::Bad);
    Ok(if bad { Exit::Failed } else { Exit::Succeeded })
}

fn in_force(settings: &Settings) -> Finding {
    let shown = |name: &str, setting: &Option<Sourced<String>>| match setting {
        Some(Sourced { value, source }) => format!("{name} {value} ({source})"),
        None => format!("{name}: the SDK's own chain decides"),
    };
    let protect = match settings.protect.as_slice() {
        [] => "protect: nothing".to_owned(),
        patterns => format!("protect {}", patterns.join(", ")),
    };
    Finding {
        what: "settings",
        state: State::Good,
        detail: [
            shown("region", &settings.region),
            shown("profile", &settings.profile),
            shown("endpoint", &settings.endpoint_url),
            protect,
        ]
        .join("; "),
        remedy: None,
    }
}

fn executions(settings: &Settings) -> Finding {
    let Sourced {
        value: home,
        source,
    } = &settings.home;
    let counted = home::reader(home).and_then(|engine| {
        engine
            .executions()
            .map_err(|error| Failure::failed(chain(&error)))
    });
    match counted {
        Ok(executions) => Finding {
            what: "home",
            state: State::Good,
            detail: format!("{home} ({source}), {} executions", executions.len()),
            remedy: None,
        },
        Err(failure) => Finding {
            what: "home",
            state: State::Bad,
            detail: failure.message,
            remedy: Some(
                "pass --home, or set TRAPHEUS_HOME, to a directory that can be written".into(),
            ),
        },
    }
}

/// The one call that every restore begins with.
async fn api(rds: &Rds) -> Finding {
    match rds.quotas().await {
        Ok(quotas) => Finding {
            what: "RDS",
            state: State::Good,
            detail: format!("answers; {} quotas are known", quotas.len()),
            remedy: None,
        },
        Err(error) => {
            let remedy = match error.class {
                trapheus_rds::Class::Denied => "the credentials lack rds:DescribeAccountAttributes",
                trapheus_rds::Class::NotImplemented => "this server cannot tell; plans will warn",
                trapheus_rds::Class::Unavailable => {
                    "is the endpoint right, and reachable from here?"
                }
                trapheus_rds::Class::NotFound
                | trapheus_rds::Class::AlreadyExists
                | trapheus_rds::Class::WrongStateNow
                | trapheus_rds::Class::Throttled
                | trapheus_rds::Class::NoCapacity
                | trapheus_rds::Class::Invalid
                | trapheus_rds::Class::ReferenceNotFound
                | trapheus_rds::Class::QuotaExceeded
                | trapheus_rds::Class::IdentityMismatch
                | trapheus_rds::Class::Unknown => "try `aws rds describe-account-attributes`",
            };
            Finding {
                what: "RDS",
                state: State::Bad,
                detail: chain(&error),
                remedy: Some(remedy.into()),
            }
        }
    }
}

async fn local_postgres() -> Finding {
    let versions = postgres::installed_versions().await;
    let (state, detail, remedy) = if versions.is_empty() {
        let how = "sudo apt-get install postgresql".to_owned();
        (State::Missing, "not found".to_owned(), Some(how))
    } else {
        (State::Good, versions.join(", "), None)
    };
    Finding {
        what: "PostgreSQL for local RDS",
        state,
        detail,
        remedy,
    }
}

async fn local_mariadb() -> Finding {
    let (state, detail, remedy) = match mariadb::installed_version().await {
        Ok(version) => (State::Good, version, None),
        Err(EngineError::NotInstalled { hint, .. }) => {
            (State::Missing, "not found".to_owned(), Some(hint))
        }
        Err(error) => (State::Missing, error.to_string(), None),
    };
    Finding {
        what: "MariaDB for local RDS (mariadb, mysql, aurora-mysql)",
        state,
        detail,
        remedy,
    }
}

impl Finding {
    fn shown(&self) -> String {
        let sign = match self.state {
            State::Good => "✓",
            State::Missing => "!",
            State::Bad => "✗",
        };
        let remedy = self
            .remedy
            .as_ref()
            .map(|remedy| format!("\n    → {remedy}"))
            .unwrap_or_default();
        format!("{sign} {}: {}{remedy}", self.what, self.detail)
    }
}
