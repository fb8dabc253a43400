//! A webhook of anybody: the alert as JSON, signed as <https://www.standardwebhooks.com> has it, so
//! that receivers find a library that checks it.
//!
//! | header | holds |
//! |---|---|
//! | `webhook-id` | the execution and the kind of alert; the same for a repetition |
//! | `webhook-timestamp` | seconds since 1970: what is older than five minutes is to be refused |
//! | `webhook-signature` | `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body` |
//!
//! The key is the text of the settings; one that begins with `whsec_` is Base64 after that.

use aws_smithy_types::base64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use trapheus_restore::Secret;

use crate::error::DeliveryError;
use crate::http::{Http, Post};
use crate::message::Message;

/// The form of the document. It changes when a receiver would misread a newer one.
const VERSION: u32 = 1;
/// What the keys of the standard begin with.
const PREFIX: &str = "whsec_";

pub(crate) async fn send(
    http: &Http,
    url: &Secret,
    key: Option<&Secret>,
    message: &Message,
) -> Result<(), DeliveryError> {
    let body = document(message);
    let id = message.id();
    let timestamp = message.alert.at.as_second();
    let mut headers = vec![
        ("webhook-id", id.clone()),
        ("webhook-timestamp", timestamp.to_string()),
    ];
    if let Some(key) = key {
        let signature = signature(key, &id, timestamp, &body)?;
        headers.push(("webhook-signature", signature));
    }
    http.post(&Post {
        url,
        body: &body,
        headers: &headers,
    })
    .await
}

/// The alert with what it says in a few words, for those who only pass it on.
fn document(message: &Message) -> String {
    let mut document = json!({ "version": VERSION, "id": message.id(), "title": message.title });
    let alert = json!(message.alert);
    if let (Some(document), Some(alert)) = (document.as_object_mut(), alert.as_object()) {
        document.extend(alert.clone());
    }
    document.to_string()
}

fn signature(key: &Secret, id: &str, timestamp: i64, body: &str) -> Result<String, DeliveryError> {
    let unusable = || DeliveryError::Source("its key is not Base64 after `whsec_`".to_owned());
    let key = match key.reveal().strip_prefix(PREFIX) {
        Some(encoded) => base64::decode(encoded).map_err(|_| unusable())?,
        None => key.reveal().as_bytes().to_vec(),
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| unusable())?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Ok(format!(
        "v1,{}",
        base64::encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's specification.
    #[test]
    fn the_signature_is_that_of_the_standard() {
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signed = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(
            signed.unwrap(),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
