//! The environment of a function, as the template writes it.
//!
//! | variable | holds |
//! |---|---|
//! | `_HANDLER` | the task |
//! | `TRAPHEUS_STATE_MACHINE_ARN` | the state machine that calls |
//! | `TRAPHEUS_BLUEPRINTS` | where blueprints are kept: `s3://BUCKET/PREFIX/` |
//! | `TRAPHEUS_EVENT_BUS` | the bus that learns how executions ended; none where it is absent |
//! | `TRAPHEUS_ALERT_…` | who is told, as for the command line |
//! | `RUST_LOG` | what is logged: `info`, or `trapheus_rds=debug,info` |

use tracing_subscriber::filter::{ParseError, Targets};
use trapheus_alerts::SettingsError;
use trapheus_sfn::MachineArn;

/// What is logged where nobody says otherwise.
const LOG: &str = "info";
const MACHINE: &str = "TRAPHEUS_STATE_MACHINE_ARN";

/// What a function is told.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The task, as the definition's `Resource` names it.
    pub(crate) resource: String,
    pub(crate) state_machine: MachineArn,
    pub(crate) blueprints: Option<Place>,
    pub(crate) event_bus: Option<String>,
    pub(crate) alerts: trapheus_alerts::Settings,
    pub(crate) log: Targets,
}

/// A place in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    /// What all names there begin with.
    pub(crate) prefix: String,
}

/// What is wrong with the environment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Misconfigured {
    #[error("the function has no `{0}` in its environment")]
    Missing(&'static str),
    #[error("`{MACHINE}` is not the ARN of a state machine")]
    StateMachine,
    #[error("`TRAPHEUS_BLUEPRINTS` is not of the form `s3://BUCKET/PREFIX/`")]
    Blueprints,
    #[error("`RUST_LOG` can't be understood")]
    Log(#[from] ParseError),
    #[error("the settings of alerts")]
    Alerts(#[from] SettingsError),
}

impl Settings {
    pub(crate) fn of_environment(
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Misconfigured> {
        let given = |name: &str| environment(name).filter(|text| !text.trim().is_empty());
        let needed = |name| given(name).ok_or(Misconfigured::Missing(name));
        let place = |text: String| Place::parse(&text).ok_or(Misconfigured::Blueprints);
        Ok(Self {
            resource: format!("${{{}}}", needed("_HANDLER")?),
            state_machine: MachineArn::parse(&needed(MACHINE)?)
                .ok_or(Misconfigured::StateMachine)?,
            blueprints: given("TRAPHEUS_BLUEPRINTS").map(place).transpose()?,
            event_bus: given("TRAPHEUS_EVENT_BUS"),
            alerts: trapheus_alerts::Settings::default().under(given)?,
            log: given("RUST_LOG").as_deref().unwrap_or(LOG).parse()?,
        })
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (bucket, prefix) = text.strip_prefix("s3://")?.split_once('/')?;
        (!bucket.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Result<Settings, Misconfigured> {
        let needed = [
            ("_HANDLER", "Plan"),
            (
                MACHINE,
                "arn:aws:states:us-east-1:123456789012:stateMachine:restore",
            ),
        ];
        Settings::of_environment(|name| {
            let all = variables.iter().chain(&needed);
            let mut found = all.filter(|(variable, _)| *variable == name);
            found.next().map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_the_template_leaves_empty_is_absent() {
        let empty = [
            "TRAPHEUS_BLUEPRINTS",
            "TRAPHEUS_EVENT_BUS",
            "TRAPHEUS_ALERT_SLACK_SECRET",
        ];
        let found = settings(&empty.map(|name| (name, ""))).unwrap();
        assert_eq!(found.resource, "${Plan}");
        assert_eq!((found.blueprints, found.event_bus), (None, None));
        assert!(found.alerts.slack.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (variable, value) in [
            ("_HANDLER", " "),
            (
                MACHINE,
                "arn:aws:lambda:us-east-1:123456789012:function:restore",
            ),
            ("TRAPHEUS_BLUEPRINTS", "blueprints"),
            ("RUST_LOG", "trapheus=loud"),
            ("TRAPHEUS_ALERT_EMAIL_TO", "nobody"),
        ] {
            let error = settings(&[(variable, value)]).unwrap_err();
            let told = error.source().unwrap_or(&error).to_string() + &error.to_string();
            assert!(told.contains(variable), "{told}");
        }
    }
}
