//! What nobody would write, given to everything that reads what others have written: nothing may
//! panic, and every answer can be read.
//!
//! Method: a corpus of real documents (`tests/corpus/TARGET/`) is cut, joined and misspelt by
//! chance, always in the same way. A document that is taken in a way in which none before was joins
//! the corpus, so that the next ones get further. What fails is printed: as a file in the corpus it
//! is tried first ever after.
//!
//! `cargo xtask fuzz [TARGET] [--minutes N]` goes on for longer (`FUZZ_SECONDS`).

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use bytes::Bytes;
use serde_json::json;
use trapheus_asl::{Action, Event, Execution, Identity, StateMachine, Timestamp};
use trapheus_local::{ControlPlane, Options};
use trapheus_rds::{Limits, Rds};
use trapheus_restore::{DEFINITION, InputError, Request};
use trapheus_testkit::Element;
use trapheus_testkit::story::Random;

/// Longer ones find nothing that shorter ones don't.
const LENGTH_MAX: usize = 20_000;
/// The events of an execution of a definition that was made up.
const EVENTS_MAX: usize = 100;
/// How many requests one control plane gets.
const REQUESTS: u32 = 300;

/// Shows what was tried last when the test fails.
struct Tried<'a>(&'a [u8]);

impl Drop for Tried<'_> {
    #[expect(clippy::print_stderr, reason = "a failed test shows what it tried")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("it was given: {}", self.0.escape_ascii());
        }
    }
}

/// Tries so many documents made from a corpus; `take` says in a few words how one was taken.
fn fuzz(target: &str, tries: u32, further: Vec<Vec<u8>>, mut take: impl FnMut(&[u8]) -> String) {
    let directory = format!("{}/tests/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(&directory).expect("there is a corpus");
    let paths: BTreeSet<_> = entries
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    let files = paths
        .iter()
        .map(|path| std::fs::read(path).expect("it can be read"));
    let mut corpus: Vec<Vec<u8>> = files.chain(further).collect();
    let mut seen = HashSet::new();
    let mut attempt = |document: &[u8]| {
        let _tried = Tried(document);
        seen.insert(take(document))
    };
    for document in &corpus {
        attempt(document);
    }
    let words = words(&corpus);
    let seconds = std::env::var("FUZZ_SECONDS")
        .ok()
        .and_then(|seconds| seconds.parse().ok());
    let (begun, longest) = (Instant::now(), seconds.map(Duration::from_secs));
    let mut random = Random::new(1);
    for tried in 1.. {
        let document = mutated(&corpus, &words, &mut random);
        if attempt(&document) {
            corpus.push(document);
        }
        if longest.map_or(tried >= tries, |longest| begun.elapsed() >= longest) {
            break;
        }
    }
}

/// The words of the corpus, and what is at the limits of numbers and of text.
fn words(corpus: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let all = corpus
        .iter()
        .flat_map(|document| document.split(|byte| !is_in_word(*byte)));
    let found: BTreeSet<&[u8]> = all.filter(|word| !word.is_empty()).collect();
    let limits = [
        "-1",
        "0",
        "1e308",
        "99999999999999999999",
        "\u{0}",
        "%00",
        "\u{fffd}",
        "[[[[",
        "null",
    ];
    let limits = limits.iter().map(|word| word.as_bytes());
    found
        .into_iter()
        .chain(limits)
        .map(<[u8]>::to_vec)
        .collect()
}

fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"$._-%".contains(&byte)
}

/// What is around a place and all of one kind.
fn around(document: &[u8], at: usize, is_in_it: impl Fn(u8) -> bool) -> Range<usize> {
    let is_over = |byte: &u8| !is_in_it(*byte);
    let (before, after) = document.split_at(at);
    let start = before.iter().rposition(is_over).map_or(0, |last| last + 1);
    let length = after.iter().position(is_over).unwrap_or(after.len());
    start..at + length
}

/// A parameter of a form, a member of an object, an element of XML: with what goes before it.
fn piece(document: &[u8], at: usize) -> Range<usize> {
    let piece = around(document, at, |byte| !b"&,{}[]<".contains(&byte));
    piece.start.saturating_sub(1)..piece.end
}

/// One document of the corpus, changed in one to eight places.
fn mutated(corpus: &[Vec<u8>], words: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let any = |random: &mut Random| &corpus[random.below(corpus.len() as u64) as usize];
    let mut document = any(random).clone();
    for _ in 0..=random.size(7) {
        let at = random.below(document.len() as u64 + 1) as usize;
        let end = (at + random.size(document.len() as u64) as usize).min(document.len());
        let word = around(&document, at, is_in_word);
        let own = piece(&document, at);
        let other = any(random);
        let from = random.below(other.len() as u64 + 1) as usize;
        let to = (from + random.size(other.len() as u64) as usize).min(other.len());
        match random.below(8) {
            0 => _ = document.drain(at..end),
            1 => _ = document.drain(own),
            2 => _ = document.splice(at..end, other[from..to].iter().copied()),
            3 => _ = document.splice(own, other[piece(other, from)].iter().copied()),
            4 => {
                let piece = other[piece(other, from)].to_vec();
                document.splice(own.start..own.start, piece);
            }
            5 => {
                let again = document[at..end].to_vec();
                document.splice(at..at, again);
            }
            6 => {
                let another = &words[random.below(words.len() as u64) as usize];
                document.splice(word, another.iter().copied());
            }
            _ => {
                if let Some(byte) = document.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
        }
        document.truncate(LENGTH_MAX);
    }
    document
}

/// What is said, without what it says it about.
fn kind_of(said: &str) -> String {
    assert!(!said.is_empty(), "it says nothing");
    let words = said.split(['"', '`', '\'']).step_by(2).collect::<String>();
    words
        .chars()
        .filter(|one| !one.is_ascii_digit())
        .take(60)
        .collect()
}

#[test]
fn definitions() {
    fuzz(
        "definitions",
        150_000,
        vec![DEFINITION.into()],
        |document| {
            let Ok(text) = std::str::from_utf8(document) else {
                return "no text".to_owned();
            };
            match StateMachine::parse(text) {
                Ok(machine) => drive(Arc::new(machine)),
                Err(refused) => kind_of(&refused.to_string()),
            }
        },
    );
}

/// Runs an execution, some of whose tasks fail, and replays it beside that.
fn drive(machine: Arc<StateMachine>) -> String {
    let identity = Identity {
        execution_name: "one".into(),
        state_machine_name: "made-up".into(),
    };
    let mut execution = Execution::new(machine.clone(), identity.clone());
    let mut replay = Execution::new(machine, identity);
    let mut at = Timestamp::UNIX_EPOCH;
    let input = json!({"n": 1, "list": [1, 2], "text": "a", "plan": {"strategy": "swap"}});
    let mut event = Event::ExecutionStarted { at, input };
    for turn in 0..EVENTS_MAX {
        let actions = execution
            .apply(&event)
            .expect("what is outstanding can happen");
        assert_eq!(replay.apply(&event), Ok(actions), "a replay is the same");
        let Some(next) = execution.outstanding().into_iter().next() else {
            assert!(execution.status().has_ended(), "it waits for nothing");
            let status = format!("{:?}", execution.status());
            return format!("{} after {turn}", kind_of(&status));
        };
        event = match next {
            Action::StartTask { task, input, .. } if turn % 3 != 1 => Event::TaskSucceeded {
                at,
                task,
                output: input,
            },
            Action::StartTask { task, .. } => Event::TaskFailed {
                at,
                task,
                error: "States.Timeout".to_owned(),
                cause: "{}".to_owned(),
            },
            Action::StartTimer { timer, due } => {
                at = at.max(due);
                Event::TimerFired { at, timer }
            }
            other => panic!("{other:?} is no work"),
        };
    }
    "goes on".to_owned()
}

#[test]
fn inputs() {
    fuzz("inputs", 250_000, Vec::new(), |document| {
        let Ok(input) = serde_json::from_slice(document) else {
            return "no JSON".to_owned();
        };
        match Request::parse(&input) {
            Ok(request) => format!("{:?} {:?}", request.task, request.strategy),
            Err(InputError::UnknownKey { .. }) => "unknown key".to_owned(),
            Err(refused) => format!("{refused:?}").chars().take(40).collect(),
        }
    });
}

/// A runtime whose time passes by itself.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .start_paused(true)
        .build()
        .expect("it can be made")
}

async fn control_plane() -> Arc<ControlPlane> {
    let opened = ControlPlane::open(Options::simulated(1)).await;
    opened.expect("memory can be opened")
}

/// Sends a form, and returns the status and the body of the answer.
async fn answer(control_plane: &ControlPlane, form: &[u8]) -> (u16, Bytes) {
    let signature = "AWS4-HMAC-SHA256 Credential=fuzz/20260101/eu-west-1/rds/aws4_request";
    let request = http::Request::post("/").header(http::header::AUTHORIZATION, signature);
    let request = request
        .body(Bytes::copy_from_slice(form))
        .expect("it is a request");
    let response = control_plane.handle(request).await;
    (response.status().as_u16(), response.into_body())
}

#[test]
fn requests() {
    let runtime = runtime();
    let mut fresh = runtime.block_on(control_plane());
    let asked = Cell::new(0_u32);
    fuzz("requests", 120_000, Vec::new(), |form| {
        asked.set(asked.get() + 1);
        if asked.get().is_multiple_of(REQUESTS) {
            fresh = runtime.block_on(control_plane());
        }
        let (status, body) = runtime.block_on(async {
            let answer = answer(&fresh, form).await;
            // What has been asked for gets done meanwhile.
            tokio::time::sleep(Duration::from_secs(60)).await;
            answer
        });
        assert_ne!(status, 500, "{}", body.escape_ascii());
        let text = std::str::from_utf8(&body).expect("it is UTF-8");
        let is_xml = |one: char| matches!(one, '\t' | '\n' | '\r' | ' '..);
        assert!(text.chars().all(is_xml), "it is no XML: {text:?}");
        let answer = Element::parse(&body);
        let code = answer.find("Error").map(|error| error.text_of("Code"));
        let mut parameters = form_urlencoded::parse(form).filter(|(name, _)| name == "Action");
        let action = parameters.next().filter(|_| code != Some("InvalidAction"));
        format!("{action:?} {code:?}")
    });
}

/// A server that answers every request with the same.
#[derive(Debug, Clone, Default)]
struct Parrot(Arc<Mutex<Vec<u8>>>);

impl HttpClient for Parrot {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Parrot {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let body = self.0.lock().expect("nobody panics with it").clone();
        let status = if body.starts_with(b"<Error") {
            400
        } else {
            200
        };
        let response = http::Response::builder().status(status).body(body.into());
        let response = response.map_err(|error| ConnectorError::other(error.into(), None));
        HttpConnectorFuture::ready(response.and_then(|response| {
            HttpResponse::try_from(response)
                .map_err(|error| ConnectorError::other(error.into(), None))
        }))
    }
}

#[test]
fn answers() {
    let runtime = runtime();
    let real = runtime.block_on(async {
        let control_plane = control_plane().await;
        let create = b"Action=CreateDBInstance&DBInstanceIdentifier=orders&Engine=postgres\
            &DBInstanceClass=db.t3.micro&AllocatedStorage=20&MasterUsername=app\
            &MasterUserPassword=secret-1234";
        let mut bodies = Vec::new();
        for form in [
            &create[..],
            b"Action=DescribeDBInstances",
            b"Action=DescribeEvents",
        ] {
            bodies.push(answer(&control_plane, form).await.1.to_vec());
        }
        bodies
    });
    let parrot = Parrot::default();
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(aws_sdk_rds::config::BehaviorVersion::latest())
        .region(aws_sdk_rds::config::Region::new("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "a", "b", None, None, "c",
        ))
        .http_client(parrot.clone());
    let rds = Rds::new(
        aws_sdk_rds::Client::from_conf(config.build()),
        Limits::local(),
    );
    let name = "orders".parse().expect("it is a name");
    fuzz("answers", 30_000, real, |body| {
        *parrot.0.lock().expect("nobody panics with it") = body.to_vec();
        match runtime.block_on(rds.instance(&name)) {
            Ok(found) => format!("{:?}", found.map(|found| found.status.class())),
            Err(error) if error.code.is_none() => kind_of(&error.message),
            Err(error) => format!("{:?}", error.class),
        }
    });
}
