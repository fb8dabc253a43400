//! The secrets in which Secrets Manager keeps master passwords that RDS manages: one for each database, with an ARN that
//! no other database ever had.

use jiff::Timestamp;
use serde_json::Value;

use crate::random;
use crate::state::attachments::{MasterSecret, is_password_managed};
use crate::state::settling::Settling;
use crate::state::{Scope, Settings, State};

/// Makes the secret where the settings want one, and removes it where they don't any more.
pub(crate) fn follow(
    state: &mut State,
    (scope, resource_id): (&Scope, &str),
    settings: &Settings,
    seed: u64,
    ready_at: Timestamp,
) {
    let has_secret = state.attachments_of(resource_id).secret.is_some();
    let secret = match (is_password_managed(settings), has_secret) {
        (true, true) | (false, false) => return,
        (false, true) => None,
        (true, false) => Some(new(state, (scope, resource_id), settings, seed, ready_at)),
    };
    state.attach(resource_id, |attachments| attachments.secret = secret);
}

fn new(
    state: &mut State,
    (scope, resource_id): (&Scope, &str),
    settings: &Settings,
    seed: u64,
    ready_at: Timestamp,
) -> MasterSecret {
    let Scope { account, region } = scope;
    let kind = resource_id.split('-').next().unwrap_or_default();
    let number = random::draw(state, seed);
    let id = random::uuid(seed, number);
    let kms_key = settings
        .get("MasterUserSecretKmsKeyId")
        .and_then(Value::as_str);
    MasterSecret {
        arn: format!(
            "arn:aws:secretsmanager:{region}:{account}:secret:rds!{kind}-{id}-{}",
            &id[..6]
        ),
        kms_key_id: kms_key.map_or_else(
            || format!("arn:aws:kms:{region}:{account}:key/aws-secretsmanager"),
            str::to_owned,
        ),
        status: Settling {
            until: ready_at,
            during: "creating".to_owned(),
            then: "active".to_owned(),
        },
    }
}
