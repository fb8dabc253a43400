//! Settings: flags, then environment, then `trapheus.toml`, then defaults.
//!
//! clap has already put flags before environment variables; this file adds the file below them
//! and remembers where each value came from, so that `trapheus doctor` can show it.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use trapheus_alerts::SettingsError;
use trapheus_restore::{Credentials, Secret};

use crate::arguments::{EngineChoice, EngineKind, Global};
use crate::error::{Context, Failure};
use crate::login::Login;

/// What `trapheus.toml` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    home: Option<Utf8PathBuf>,
    region: Option<String>,
    profile: Option<String>,
    endpoint_url: Option<String>,
    engine: Option<EngineKind>,
    #[serde(default)]
    step_functions: StepFunctionsFile,
    #[serde(default)]
    protect: Vec<String>,
    #[serde(default)]
    verify: VerifyFile,
    #[serde(default)]
    alerts: trapheus_alerts::Settings,
}

/// The table `[step-functions]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct StepFunctionsFile {
    state_machine: Option<String>,
}

/// The table `[verify]`. A password does not belong into a file that is checked in.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct VerifyFile {
    user: Option<String>,
    database: Option<String>,
    secret: Option<String>,
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    /// The value in force.
    pub value: T,
    /// "flag or environment", the file's name, or "default".
    pub source: String,
}

/// Who runs the state machine.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// Which engine.
    pub engine: Sourced<EngineKind>,
    /// In Step Functions, the state machine's name or its ARN.
    pub state_machine: Sourced<String>,
}

/// The state machine of the stack that `trapheus deploy` makes unless it is told another name.
const STATE_MACHINE: &str = "trapheus-restore";

/// The settings in force.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Where executions and logs live.
    pub home: Sourced<Utf8PathBuf>,
    /// The AWS Region; `None`: the SDK's own chain decides.
    pub region: Option<Sourced<String>>,
    /// The AWS profile; `None`: the SDK's own chain decides.
    pub profile: Option<Sourced<String>>,
    /// The endpoint; `None`: AWS.
    pub endpoint_url: Option<Sourced<String>>,
    /// Patterns of identifiers, or `tag:KEY=VALUE`, that need the identifier typed.
    pub protect: Vec<String>,
    /// What Verify logs in with; `None`: the handshake has to do.
    pub login: Option<Login>,
    /// Who is told, and of what, as the file says.
    alerts: trapheus_alerts::Settings,
    /// Who runs the state machine, as the file says.
    machine: Machine,
}

impl Settings {
    /// Reads the file (`--config`, else `trapheus.toml` here if there is one) under the flags.
    pub(crate) fn load(global: &Global) -> Result<Self, Failure> {
        let (file, name) = read(global.config.as_deref())?;
        let over = |flag: &Option<String>, below: Option<String>| {
            flag.clone()
                .map(|value| Sourced {
                    value,
                    source: "flag or environment".into(),
                })
                .or_else(|| {
                    below.map(|value| Sourced {
                        value,
                        source: name.clone(),
                    })
                })
        };
        let machine = Machine {
            engine: sourced(file.engine, &name, EngineKind::Embedded),
            state_machine: sourced(
                file.step_functions.state_machine,
                &name,
                STATE_MACHINE.to_owned(),
            ),
        };
        let home = match (&global.home, file.home) {
            (Some(home), _) => Sourced {
                value: home.clone(),
                source: "flag or environment".into(),
            },
            (None, Some(home)) => Sourced {
                value: home,
                source: name.clone(),
            },
            (None, None) => Sourced {
                value: default_home()?,
                source: "default".into(),
            },
        };
        Ok(Self {
            home,
            region: over(&global.region, file.region),
            profile: over(&global.profile, file.profile),
            endpoint_url: over(&global.endpoint_url, file.endpoint_url),
            protect: file.protect,
            login: login(file.verify),
            alerts: file.alerts,
            machine,
        })
    }

    /// Who runs the state machine: as chosen, or else as the file says.
    pub(crate) fn machine(&self, choice: &EngineChoice) -> Machine {
        let Machine {
            mut engine,
            mut state_machine,
        } = self.machine.clone();
        if let Some(kind) = choice.engine {
            engine = given_now(kind);
        }
        if let Some(named) = &choice.state_machine {
            state_machine = given_now(named.clone());
        }
        Machine {
            engine,
            state_machine,
        }
    }

    /// Who is told, and of what. What is wrong with it keeps nobody from looking at executions.
    pub(crate) fn alerts(&self) -> Result<trapheus_alerts::Settings, SettingsError> {
        self.alerts.clone().under(given)
    }
}

/// The file's value, or else the default.
fn sourced<T>(of_file: Option<T>, name: &str, default: T) -> Sourced<T> {
    let source = if of_file.is_some() { name } else { "default" };
    Sourced {
        value: of_file.unwrap_or(default),
        source: source.to_owned(),
    }
}

fn given_now<T>(value: T) -> Sourced<T> {
    Sourced {
        value,
        source: "flag or environment".to_owned(),
    }
}

/// The password of `TRAPHEUS_VERIFY_PASSWORD`, or else a secret, with the user and the database of
/// the environment or the file.
fn login(file: VerifyFile) -> Option<Login> {
    let database = given("TRAPHEUS_VERIFY_DATABASE").or(file.database);
    if let Some(password) = given("TRAPHEUS_VERIFY_PASSWORD") {
        let user = given("TRAPHEUS_VERIFY_USER").or(file.user);
        return Some(Login::Password(Credentials {
            user,
            password: Secret::new(password),
            database,
        }));
    }
    let secret = given("TRAPHEUS_VERIFY_SECRET").or(file.secret)?;
    Some(Login::SecretsManager { secret, database })
}

/// An environment variable that is set to something.
fn given(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn read(named: Option<&Utf8Path>) -> Result<(File, String), Failure> {
    let path = named.unwrap_or(Utf8Path::new("trapheus.toml"));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
            return Ok((File::default(), String::new()));
        }
        Err(error) => return Err(error).context(format_args!("read {path}")),
    };
    let file = toml::from_str(&text).map_err(|error| {
        Failure::refused(format!("{path} is not a valid settings file: {}", complaint(&text, &error)))
            .hint("known settings: home, region, profile, endpoint-url, engine, protect, [step-functions] state-machine, [verify] user, database and secret, [alerts]")
    })?;
    Ok((file, path.to_string()))
}

/// What is wrong, and where, without a word of what the file holds there: it may be a secret.
fn complaint(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map_or(1, |before| before.lines().count().max(1));
    let message = error.message();
    // serde quotes texts of the wrong kind, and nothing else.
    let message = match (message.split_once("string \""), message.rsplit_once("\", ")) {
        (Some((before, _)), Some((_, after))) => format!("{before}a text, {after}"),
        _ => message.to_owned(),
    };
    format!("line {line}: {message}")
}

/// The platform's data directory.
fn default_home() -> Result<Utf8PathBuf, Failure> {
    if let Some(data) = given("XDG_DATA_HOME") {
        return Ok(Utf8PathBuf::from(data).join("trapheus"));
    }
    let home = given("HOME").ok_or_else(|| {
        Failure::refused("there is no HOME to keep executions in")
            .hint("set TRAPHEUS_HOME, or pass --home")
    })?;
    let below = if cfg!(target_os = "macos") {
        "Library/Application Support/trapheus"
    } else {
        ".local/share/trapheus"
    };
    Ok(Utf8PathBuf::from(home).join(below))
}
