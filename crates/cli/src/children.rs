//! The executions that an execution of the embedded engine starts: others in the same journal.

use async_trait::async_trait;
use serde_json::Value;
use trapheus_engine::{Engine, Error, ExecutionId, Hold, StartExecution};
use trapheus_restore::{Executions, ExecutionsError, Summary};

use crate::commands::result;
use crate::engines::found;
use crate::error::chain;
use crate::home::MACHINE;

/// Executions in the engine that a task is called by.
pub(crate) struct Children(pub Hold);

impl Children {
    fn engine(&self) -> Result<Engine, ExecutionsError> {
        let gone = || ExecutionsError::Passing("the engine is gone".to_owned());
        self.0.engine().ok_or_else(gone)
    }
}

#[async_trait]
impl Executions for Children {
    fn name(&self, parent: &str, purpose: &str) -> String {
        ExecutionId::child(parent, purpose).to_string()
    }

    async fn begin(&self, name: &str, input: &Value) -> Result<(), ExecutionsError> {
        let (engine, id) = (self.engine()?, id(name)?);
        let started = engine.start(StartExecution {
            id: Some(id.clone()),
            machine_name: MACHINE.into(),
            definition: trapheus_restore::DEFINITION.into(),
            input: input.clone(),
        });
        match started {
            Ok(_) => return Ok(()),
            Err(Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(refused(&error)),
        }
        // Its process may have died, as this one's execution's may have.
        match engine.resume(&id) {
            Ok(_) | Err(Error::RunsHere { .. } | Error::Owned { .. } | Error::HasEnded { .. }) => {
                Ok(())
            }
            Err(error) => Err(refused(&error)),
        }
    }

    async fn look(&self, name: &str) -> Result<Option<Summary>, ExecutionsError> {
        let (engine, id) = (self.engine()?, id(name)?);
        let Some(record) = engine.execution(&id).map_err(|error| refused(&error))? else {
            return Ok(None);
        };
        let history = engine.history(&id).map_err(|error| refused(&error))?;
        Ok(Some(result::summary_of(&found(&record), &history)))
    }
}

fn id(name: &str) -> Result<ExecutionId, ExecutionsError> {
    name.parse()
        .map_err(|error| ExecutionsError::Final(chain(&error)))
}

fn refused(error: &Error) -> ExecutionsError {
    match error {
        Error::Definition(_) => ExecutionsError::Final(chain(error)),
        _ => ExecutionsError::Passing(chain(error)),
    }
}
