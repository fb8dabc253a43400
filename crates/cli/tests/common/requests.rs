//! Local RDS's log of requests: the proof that something was not even tried.

use serde_json::Value;

use super::http::ask;
use super::world::World;

/// A place in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now(usize);

impl World {
    /// The end of the log.
    pub(crate) fn now(&self) -> Now {
        Now(self.requests().len())
    }

    /// What was asked for since then that changes something whose name has `name` in it: the
    /// actions, in order. Stories that share a local RDS use names that do not contain each other.
    pub(crate) fn changes_since(&self, since: Now, name: &str) -> Vec<String> {
        let requests = self.requests().split_off(since.0);
        let about = requests.iter().filter(|request| {
            request["parameters"]
                .to_string()
                .to_lowercase()
                .contains(name)
        });
        about
            .map(|request| request["action"].as_str().expect("an action").to_owned())
            .filter(|action| !action.starts_with("Describe") && !action.starts_with("List"))
            .collect()
    }

    fn requests(&self) -> Vec<Value> {
        let answer = ask(self.endpoint_url(), "GET", "/_trapheus/requests", "");
        answer["requests"].as_array().expect("a list").clone()
    }
}
