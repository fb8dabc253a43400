//! A gate on the way of the restore's calls to RDS: one call is held after it has been carried
//! out and before its answer arrives, where processes die, and where other people act.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::watch;
use trapheus_local::connector::Connector;

use crate::recording::Recorder;

/// Counts calls and holds one of them. Clones are the same gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    state: Arc<Mutex<State>>,
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Default)]
struct State {
    /// Calls since the gate was set; none while it is not.
    calls: Option<u32>,
    /// The call that is held.
    held: u32,
    /// Whether calls that change nothing are counted.
    counts_reads: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Holding,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            state: Arc::default(),
            stage: watch::Sender::new(Stage::Open),
        }
    }
}

impl Gate {
    /// Holds the call of this number, counted from now on.
    pub(crate) fn hold(&self, call: u32, counts_reads: bool) {
        *self.state() = State {
            calls: Some(0),
            held: call,
            counts_reads,
        };
    }

    /// Waits until the call is held.
    pub(crate) async fn reached(&self) {
        let mut stage = self.stage.subscribe();
        let holding = stage.wait_for(|stage| *stage == Stage::Holding).await;
        holding.expect("the gate itself sends");
    }

    /// Lets everything pass from now on.
    pub(crate) fn open(&self) {
        self.state().calls = None;
        self.stage.send_replace(Stage::Open);
    }

    async fn pass(&self, is_read: bool) {
        let is_held = {
            let mut state = self.state();
            let counts = !is_read || state.counts_reads;
            let held = state.held;
            match &mut state.calls {
                Some(calls) if counts => {
                    *calls += 1;
                    *calls == held
                }
                Some(_) | None => false,
            }
        };
        if is_held {
            self.stage.send_replace(Stage::Holding);
            let mut stage = self.stage.subscribe();
            let opened = stage.wait_for(|stage| *stage == Stage::Open).await;
            opened.expect("the gate itself sends");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an action changes nothing.
pub(crate) fn is_look(action: &str) -> bool {
    action.starts_with("Describe") || action.starts_with("List")
}

fn action(request: &HttpRequest) -> String {
    let mut members = form_urlencoded::parse(request.body().bytes().unwrap_or_default());
    let action = members.find(|(name, _)| name == "Action");
    action.map_or(String::new(), |(_, action)| action.into_owned())
}

/// The way to RDS through a gate.
#[derive(Debug, Clone)]
pub(crate) struct GatedConnector {
    pub(crate) connector: Connector,
    pub(crate) gate: Gate,
    pub(crate) recorder: Recorder,
}

impl HttpClient for GatedConnector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for GatedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let action = action(&request);
        let (gate, recorder) = (self.gate.clone(), self.recorder.clone());
        recorder.calls(&action);
        let answer = self.connector.call(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await;
            recorder.is_answered(&action);
            gate.pass(is_look(&action)).await;
            answer
        })
    }
}
