//! Database activity streams of DB instances and DB clusters.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::{clusters, instances};
use crate::catalogue::{Offer, System};
use crate::names;
use crate::random;
use crate::state::attachments::ActivityStream;

pub(super) fn start(context: &mut Context<'_>, input: &Input) -> Answer {
    let database = find(context, input)?;
    if is_running(context, &database) {
        return Err(database.refusal("An activity stream is already started."));
    }
    let mode = input.required("Mode")?;
    if !["sync", "async"].contains(&mode) {
        return Err(ApiError::value(format!(
            "Invalid activity stream mode: {mode}"
        )));
    }
    let number = random::draw(context.state, context.seed);
    let stream = ActivityStream {
        status: context.settling("starting", "started"),
        mode: mode.to_owned(),
        kms_key_id: input.required("KmsKeyId")?.to_owned(),
        kinesis_stream: format!(
            "aws-rds-das-{}-{:06x}",
            database.resource_id,
            number % (1 << 24)
        ),
        has_native_fields: input.flag("EngineNativeAuditFieldsIncluded"),
        policy: context.settling("unlocked", "unlocked"),
    };
    let (mode, has_native_fields) = (stream.mode.clone(), stream.has_native_fields);
    let mut answer = store(context, &database, stream);
    answer.insert("Mode".to_owned(), json!(mode));
    answer.insert(
        "EngineNativeAuditFieldsIncluded".to_owned(),
        json!(has_native_fields),
    );
    answer.insert("ApplyImmediately".to_owned(), json!(true));
    Ok(answer)
}

pub(super) fn stop(context: &mut Context<'_>, input: &Input) -> Answer {
    let database = find(context, input)?;
    let stream = stream(context, &database)?;
    let status = context.settling("stopping", "stopped");
    Ok(store(
        context,
        &database,
        ActivityStream { status, ..stream },
    ))
}

pub(super) fn modify(context: &mut Context<'_>, input: &Input) -> Answer {
    let database = find(context, input)?;
    let stream = stream(context, &database)?;
    let policy = match input.text("AuditPolicyState") {
        Some("locked") => context.settling("locking-policy", "locked"),
        Some("unlocked") => context.settling("unlocking-policy", "unlocked"),
        Some(_) | None => {
            return Err(ApiError::value(
                "AuditPolicyState must be locked or unlocked.",
            ));
        }
    };
    let status = policy.status(context.now).to_owned();
    let mut answer = store(context, &database, ActivityStream { policy, ..stream });
    answer.insert("PolicyStatus".to_owned(), json!(status));
    Ok(answer)
}

/// The database that a request means.
struct Database {
    resource_id: String,
    /// The code that says that it is in the wrong state.
    state_code: &'static str,
}

impl Database {
    fn refusal(&self, message: &str) -> ApiError {
        ApiError::new(self.state_code, message)
    }
}

fn find(context: &Context<'_>, input: &Input) -> Result<Database, ApiError> {
    let arn = input.required("ResourceArn")?;
    let (resource_id, engine, offer, state_code) = match names::kind_in_arn(arn) {
        Some("db") => {
            let instance = context.instance(arn)?;
            instances::must_be_available(instance)?;
            let code = "InvalidDBInstanceState";
            (&instance.resource_id, instance.engine(), Offer::Rds, code)
        }
        Some("cluster") => {
            let cluster = context.cluster(arn)?;
            clusters::must_be_available(cluster)?;
            let code = "InvalidDBClusterStateFault";
            (&cluster.resource_id, cluster.engine(), Offer::Aurora, code)
        }
        _ => {
            let message = format!("The resource {arn} was not found.");
            return Err(ApiError::new("ResourceNotFoundFault", message));
        }
    };
    let product = context.product(engine)?;
    let is_commercial = matches!(product.system, System::Oracle | System::SqlServer);
    match product.offer == offer && (offer == Offer::Aurora || is_commercial) {
        true => Ok(Database {
            resource_id: resource_id.clone(),
            state_code,
        }),
        false => Err(ApiError::combination(format!(
            "This database of the engine {engine} has no activity streams."
        ))),
    }
}

fn is_running(context: &Context<'_>, database: &Database) -> bool {
    let stream = context
        .state
        .attachments_of(&database.resource_id)
        .activity_stream;
    stream.is_some_and(|stream| stream.status.status(context.now) != "stopped")
}

fn stream(context: &Context<'_>, database: &Database) -> Result<ActivityStream, ApiError> {
    let stream = context
        .state
        .attachments_of(&database.resource_id)
        .activity_stream;
    stream
        .filter(|stream| stream.status.status(context.now) == "started")
        .ok_or_else(|| database.refusal("No activity stream is started."))
}

/// Keeps the stream, and answers with what all the requests on streams answer with.
fn store(
    context: &mut Context<'_>,
    database: &Database,
    stream: ActivityStream,
) -> Map<String, Value> {
    let answer = Map::from_iter([
        ("KmsKeyId".to_owned(), json!(stream.kms_key_id)),
        ("KinesisStreamName".to_owned(), json!(stream.kinesis_stream)),
        (
            "Status".to_owned(),
            json!(stream.status.status(context.now)),
        ),
    ]);
    context.state.attach(&database.resource_id, |attachments| {
        attachments.activity_stream = Some(stream);
    });
    answer
}
