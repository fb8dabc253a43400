//! The Wait state.

use std::sync::Arc;

use jiff::Timestamp;

use super::data::{Data, shown};
use super::run::{Phase, Purpose, ScopeId};
use super::turn::Turn;
use crate::definition::{Kind, State, Until, Wait};
use crate::errors::Failure;
use crate::time::{self, SECONDS_MAX};

impl Turn<'_> {
    pub(super) fn wait(
        &mut self,
        scope: ScopeId,
        state: &State,
        wait: &Wait,
    ) -> Result<(), Failure> {
        let data = self.data(scope, state)?;
        let due = self.due(&data, &wait.until)?;
        if due <= self.at {
            return self.leave(scope, data.output(state)?, &wait.next);
        }
        let timer = self.start_timer(due, Purpose::Wait(scope));
        self.run.visit_mut(scope).phase = Phase::Timer(timer);
        Ok(())
    }

    pub(super) fn wait_is_over(&mut self, scope: ScopeId) {
        let visit = self.run.visit_mut(scope);
        visit.phase = Phase::Working;
        let state = Arc::clone(&visit.state);
        let Kind::Wait(wait) = &state.kind else {
            unreachable!("only a Wait state starts a timer of this purpose");
        };
        let output = self
            .data(scope, &state)
            .and_then(|data| data.output(&state));
        if let Err(failure) = output.and_then(|output| self.leave(scope, output, &wait.next)) {
            self.fail(scope, failure);
        }
    }

    fn due(&self, data: &Data, until: &Until) -> Result<Timestamp, Failure> {
        match until {
            Until::Seconds(count) => {
                let seconds = data.count(count, "SecondsPath", 0, SECONDS_MAX)?;
                Ok(time::seconds_later(self.at, seconds))
            }
            Until::Timestamp(at) => Ok(*at),
            Until::TimestampPath(path) => {
                let value = path.get(data.documents(), "TimestampPath")?;
                value.as_str().and_then(time::parse).ok_or_else(|| {
                    Failure::runtime(format!(
                        "The TimestampPath parameter does not reference a valid ISO-8601 \
                         extended offset date-time format string: {path} == {}",
                        shown(value)
                    ))
                })
            }
        }
    }
}
