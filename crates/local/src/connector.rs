//! A direct line from an AWS SDK client to a control plane: no sockets, so it works in tokio's paused time.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::control_plane::ControlPlane;
use crate::faults::LostAnswer;

/// What to give to an SDK configuration's `http_client`.
#[derive(Clone, Debug)]
pub struct Connector {
    control_plane: Arc<ControlPlane>,
}

/// A client that calls the control plane directly.
pub fn connector(control_plane: Arc<ControlPlane>) -> Connector {
    Connector { control_plane }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let control_plane = Arc::clone(&self.control_plane);
        HttpConnectorFuture::new(async move {
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let request =
                request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
            let response = control_plane.handle(request).await;
            if response.extensions().get::<LostAnswer>().is_some() {
                return Err(ConnectorError::timeout(
                    "the answer got lost, as was asked for".into(),
                ));
            }
            HttpResponse::try_from(response.map(SdkBody::from))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}
