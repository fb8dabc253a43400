//! `trapheus doctor`: says what is missing and how to get it.

use serde::Serialize;
use serde_json::json;
use trapheus_alerts::Alerts;
use trapheus_local::engines::{EngineError, mariadb, postgres};
use trapheus_rds::Rds;
use trapheus_restore::{Alert, AlertKind, Delivery, Notifier, Notify, Report};

use crate::arguments::{self, EngineKind};
use crate::engines::{Engine, StepFunctions};
use crate::error::{Failure, chain};
use crate::exit::Exit;
use crate::home;
use crate::printer::Printer;
use crate::settings::{Machine, Settings, Sourced};

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

pub(crate) async fn run(
    options: &arguments::Doctor,
    settings: &Settings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let machine = settings.machine(&options.engine);
    let mut findings = vec![in_force(settings), executions(settings)];
    findings.push(engine(settings, &machine).await);
    match home::connect(settings).await {
        Ok(rds) => findings.push(api(&rds).await),
        Err(failure) => findings.push(Finding {
            what: "AWS settings",
            state: State::Bad,
            detail: failure.message,
            remedy: failure.hint,
        }),
    }
    match home::alerts(settings).await {
        Ok(alerts) => {
            findings.push(channels(&alerts));
            if options.test_alert {
                findings.extend(tested(&alerts).await);
            }
        }
        Err(failure) => findings.push(Finding {
            what: "alerts",
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

/// Who runs the state machine, and whether it is the one that this binary knows.
async fn engine(settings: &Settings, machine: &Machine) -> Finding {
    let source = &machine.engine.source;
    let (state, detail, remedy) = match machine.engine.value {
        EngineKind::Embedded => (State::Good, format!("embedded ({source})"), None),
        EngineKind::StepFunctions => match state_machine(settings, machine).await {
            Ok((detail, None)) => (State::Good, detail, None),
            Ok((detail, Some(warning))) => (State::Missing, detail, Some(warning)),
            Err(failure) => (State::Bad, failure.message, failure.hint),
        },
    };
    Finding {
        what: "engine",
        state,
        detail,
        remedy,
    }
}

async fn state_machine(
    settings: &Settings,
    machine: &Machine,
) -> Result<(String, Option<String>), Failure> {
    let engine = StepFunctions::find(settings, machine).await?;
    let detail = format!(
        "Step Functions ({}), {} ({})",
        machine.engine.source,
        engine.arn(),
        machine.state_machine.source
    );
    Ok((detail, engine.warning().await?))
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

/// Who is told, by names: addresses of webhooks are secrets.
fn channels(alerts: &Alerts) -> Finding {
    let channels: Vec<String> = alerts.channels().iter().map(|it| it.to_string()).collect();
    Finding {
        what: "alerts",
        state: State::Good,
        detail: match channels.is_empty() {
            true => "nobody is told: the settings name no channel".to_owned(),
            false => channels.join("; "),
        },
        remedy: None,
    }
}

/// Sends a test to every channel.
async fn tested(alerts: &Alerts) -> Vec<Finding> {
    let alert = Alert {
        kind: AlertKind::Test,
        execution_id: "none".to_owned(),
        task: None,
        identifier: None,
        at: home::now(),
        report: Report {
            headline: "Alerts of Trapheus arrive here. Nothing has happened.".to_owned(),
            changed: Vec::new(),
            outage_seconds: None,
            left_over: Vec::new(),
            warnings: Vec::new(),
            what_to_do: Vec::new(),
        },
        databases: Vec::new(),
        undo: None,
    };
    let deliveries = alerts.tell(&alert, &Notify::default()).await;
    let finding = |Delivery { channel, error }| Finding {
        what: "test alert",
        state: match error {
            None => State::Good,
            Some(_) => State::Bad,
        },
        detail: match error {
            None => format!("{channel} has taken it"),
            Some(error) => format!("{channel}: {error}"),
        },
        remedy: None,
    };
    deliveries.into_iter().map(finding).collect()
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
