//! Zero-ETL integrations: they exist, but nothing flows through them.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::catalogue::{Offer, System};
use crate::names;
use crate::random;
use crate::state::topology::Integration;
use crate::state::{Settings, Tags};

/// Members of `CreateIntegration` that are shown as they were given.
const SHOWN: [&str; 5] = [
    "SourceArn",
    "TargetArn",
    "KMSKeyId",
    "DataFilter",
    "Description",
];

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = input.required("IntegrationName")?.to_owned();
    let source = source(context, input.required("SourceArn")?)?;
    let is_taken = {
        let mut all = context.state.integrations.values();
        all.any(|one| one.scope == *context.scope && one.name == name)
    };
    if is_taken {
        let message = format!("Integration {name} already exists.");
        return Err(ApiError::new("IntegrationAlreadyExistsFault", message));
    }
    let given = SHOWN.iter().filter_map(|member| {
        let value = input.get(member)?.clone();
        Some(((*member).to_owned(), value))
    });
    let number = random::draw(context.state, context.seed);
    let integration = Integration {
        scope: context.scope.clone(),
        name,
        id: random::uuid(context.seed, number),
        source,
        settings: given.collect::<Settings>(),
        created_at: context.now,
        status: context.settling("creating", "active"),
        tags: Tags::from_request(input.list("Tags")),
    };
    let shown = shown(&integration, integration.status.status(context.now));
    let key = context.scope.key(&integration.id);
    context.state.integrations.insert(key, integration);
    Ok(shown)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let asked = input.text("IntegrationIdentifier");
    if let Some(asked) = asked {
        find(context, asked)?;
    }
    let all = context.state.integrations.values();
    let here = all.filter(|one| one.scope == *context.scope);
    let found = here.filter(|one| asked.is_none_or(|asked| is_called(one, asked)));
    let records = found.map(|one| {
        let shown = shown(one, one.status.status(context.now));
        (one.id.clone(), Value::from(shown))
    });
    paging::page(input, "Integrations", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let integration = find(context, input.required("IntegrationIdentifier")?)?;
    let key = context.scope.key(&integration.id);
    context.state.integrations.remove(&key);
    Ok(shown(&integration, "deleting"))
}

/// The resource id of the database that an integration reads.
fn source(context: &Context<'_>, arn: &str) -> Result<String, ApiError> {
    let (resource_id, engine) = match names::kind_in_arn(arn) {
        Some("cluster") => {
            let cluster = context.cluster(arn)?;
            (cluster.resource_id.clone(), cluster.engine())
        }
        _ => {
            let instance = context.instance(arn)?;
            (instance.resource_id.clone(), instance.engine())
        }
    };
    let product = context.product(engine)?;
    let is_source = product.offer != Offer::Custom
        && matches!(
            product.system,
            System::MySql | System::Postgres | System::Oracle
        );
    match is_source {
        true => Ok(resource_id),
        false => Err(ApiError::combination(format!(
            "{engine} can't be the source of an integration."
        ))),
    }
}

/// An integration goes by its ARN, its name or its id.
fn is_called(integration: &Integration, name: &str) -> bool {
    integration.arn() == name || integration.name == name || integration.id == name
}

fn find(context: &Context<'_>, name: &str) -> Result<Integration, ApiError> {
    let mut all = context.state.integrations.values();
    let found = all.find(|one| one.scope == *context.scope && is_called(one, name));
    found.cloned().ok_or_else(|| {
        let message = format!("Integration {name} not found.");
        ApiError::new("IntegrationNotFoundFault", message)
    })
}

fn shown(integration: &Integration, status: &str) -> Map<String, Value> {
    let mut shown = integration.settings.clone();
    let own = json!({
        "IntegrationName": integration.name,
        "IntegrationArn": integration.arn(),
        "Status": status,
        "Tags": integration.tags.describe(),
        "CreateTime": integration.created_at.to_string(),
    });
    shown.extend(own.as_object().cloned().unwrap_or_default());
    shown
}
