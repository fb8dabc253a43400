//! The master password that the input names, in a secret. RDS never shows a password, so a mark
//! says that it was set; a process that dies before the mark sets the same one again.

use serde_json::Value;
use trapheus_rds::{Database, Settings};

use super::context::Context;
use crate::blueprint::row;
use crate::error::{ErrorName, TaskError};
use crate::input::MasterPassword;
use crate::marks::{self, Marks};

/// What a modify of the restored database has to set; nothing where nothing is asked for, or done.
pub(super) async fn missing(context: &Context, restored: &Database) -> Result<Settings, TaskError> {
    let MasterPassword::Secret(arn) = &context.plan().master_password else {
        return Ok(Settings::new());
    };
    if Marks(&restored.tags).has_its_password() {
        return Ok(Settings::new());
    }
    let login = context.secrets.login(arn).await.map_err(|error| {
        TaskError::new(
            ErrorName::Invalid,
            format!("the secret {arn} can't be used: {error}"),
        )
    })?;
    let value = Value::from(login.password.reveal());
    Ok([(row(restored.subject(), "MasterUserPassword").name, value)].into())
}

/// Remembers that a modify with it has been accepted.
pub(super) async fn mark(context: &Context, restored: &Database) -> Result<(), TaskError> {
    let tags = [marks::password(context.now())].into();
    context.add_tags(restored, &tags).await
}
