//! Who calls RDS: the product says for which execution, so that nobody has to guess.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use trapheus_engine::ExecutionId;

tokio::task_local! {
    /// The execution whose task is running.
    static EXECUTION: ExecutionId;
}

/// What the product calls itself.
const PRODUCT: &str = "trapheus";

/// Runs a task for an execution.
pub(crate) async fn on_behalf_of<T>(execution: ExecutionId, task: impl Future<Output = T>) -> T {
    EXECUTION.scope(execution, task).await
}

/// The execution that a `User-Agent` names.
pub(super) fn execution_of(agent: &str) -> Option<&str> {
    agent.strip_prefix(PRODUCT)?.strip_prefix('/')
}

/// The product's way to RDS: its `User-Agent` names the execution.
#[derive(Debug, Clone)]
pub(crate) struct Introduced<C>(pub(crate) C);

impl<C: HttpConnector + Clone + 'static> HttpClient for Introduced<C> {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl<C: HttpConnector> HttpConnector for Introduced<C> {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let agent = EXECUTION
            .try_with(|execution| format!("{PRODUCT}/{execution}"))
            .unwrap_or_else(|_| PRODUCT.to_owned());
        request.headers_mut().insert("user-agent", agent);
        self.0.call(request)
    }
}
