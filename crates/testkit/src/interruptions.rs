//! What happens to a run while one of its calls has been carried out and is not answered: its
//! process dies or is stopped, or a person does something.

use serde_json::Value;
use trapheus_engine::{Engine, ExecutionId, Handle};

use crate::simulation::{Run, Simulation};

/// Which calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// Every call.
    All,
    /// Those that change something.
    Changes,
}

impl Simulation {
    /// Runs an input document in a process that dies in the middle of its n-th call, carried out
    /// and not answered, and goes on in another one; none when it ends with fewer calls.
    pub async fn kill_in_call(&self, input: Value, call: u32) -> Option<Run> {
        let run = self.stop_in_call(input, call, Calls::All).await?;
        Some(self.resume(&run.id).await)
    }

    /// Runs an input document in a process that is stopped in the middle of a call; none when it
    /// ends with fewer calls.
    pub async fn stop_in_call(&self, input: Value, call: u32, calls: Calls) -> Option<Run> {
        let engine = self.engine(self.journal());
        self.gate.hold(call, calls == Calls::All);
        let handle = self.start(&engine, input);
        self.stop_when_held(&engine, &handle).await
    }

    /// Goes on with an execution in a process that is stopped in the middle of a call; none when it
    /// ends with fewer calls.
    pub async fn stop_resumed_in_call(
        &self,
        id: &ExecutionId,
        call: u32,
        calls: Calls,
    ) -> Option<Run> {
        let engine = self.engine(self.journal());
        self.gate.hold(call, calls == Calls::All);
        let handle = engine.resume(id).expect("nobody runs it");
        self.stop_when_held(&engine, &handle).await
    }

    /// Runs an input document to its end, while somebody does something during its n-th change
    /// of the world; none when it makes fewer.
    pub async fn interfere_in_change(
        &self,
        input: Value,
        change: u32,
        person: impl AsyncFnOnce(&Simulation),
    ) -> Option<Run> {
        self.interfere_in_call(input, change, Calls::Changes, person)
            .await
    }

    /// The same during its n-th call of those that count.
    pub async fn interfere_in_call(
        &self,
        input: Value,
        call: u32,
        calls: Calls,
        person: impl AsyncFnOnce(&Simulation),
    ) -> Option<Run> {
        let engine = self.engine(self.journal());
        self.gate.hold(call, calls == Calls::All);
        let handle = self.start(&engine, input);
        self.interfere_when_held(&engine, &handle, person).await
    }

    /// The same with an execution that is gone on with.
    pub async fn interfere_in_resumed_change(
        &self,
        id: &ExecutionId,
        change: u32,
        person: impl AsyncFnOnce(&Simulation),
    ) -> Option<Run> {
        let engine = self.engine(self.journal());
        self.gate.hold(change, false);
        let handle = engine.resume(id).expect("nobody runs it");
        self.interfere_when_held(&engine, &handle, person).await
    }

    async fn stop_when_held(&self, engine: &Engine, handle: &Handle) -> Option<Run> {
        let is_held = self.is_held(handle).await;
        if is_held {
            handle.stop().await.expect("it can be stopped");
        }
        self.gate.open();
        is_held.then(|| self.read(engine, handle.id()))
    }

    async fn interfere_when_held(
        &self,
        engine: &Engine,
        handle: &Handle,
        person: impl AsyncFnOnce(&Simulation),
    ) -> Option<Run> {
        let is_held = self.is_held(handle).await;
        if is_held {
            person(self).await;
        }
        self.gate.open();
        let run = self.finish(engine, handle).await;
        is_held.then_some(run)
    }

    /// Waits for the call that is to be held; `false` when the execution ends without it.
    pub(crate) async fn is_held(&self, handle: &Handle) -> bool {
        tokio::select! {
            biased;
            _ = handle.wait() => false,
            () = self.gate.reached() => true,
        }
    }
}
