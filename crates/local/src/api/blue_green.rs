//! Blue/green deployments: they can be seen, but the green database isn't made.

use serde_json::{Map, Value, json};

use super::context::{Answer, Context};
use super::error::ApiError;
use super::input::Input;
use super::paging;
use crate::catalogue::{Offer, System};
use crate::names;
use crate::random;
use crate::state::Tags;
use crate::state::topology::BlueGreenDeployment;

const NAME_LENGTH_MAX: usize = 60;

const FILTERS: [&str; 4] = [
    "blue-green-deployment-identifier",
    "blue-green-deployment-name",
    "source",
    "target",
];

pub(super) fn create(context: &mut Context<'_>, input: &Input) -> Answer {
    let name = input.required("BlueGreenDeploymentName")?;
    let name = names::parse("BlueGreenDeploymentName", name, NAME_LENGTH_MAX)?;
    let source = source(context, input.required("Source")?)?;
    let is_taken = {
        let mut all = context.state.blue_green_deployments.values();
        all.any(|one| one.scope == *context.scope && (one.name == name || one.source == source))
    };
    if is_taken {
        let message = format!("There is a blue/green deployment {name}, or one of {source}.");
        return Err(ApiError::new(
            "BlueGreenDeploymentAlreadyExistsFault",
            message,
        ));
    }
    let number = random::draw(context.state, context.seed);
    let deployment = BlueGreenDeployment {
        scope: context.scope.clone(),
        id: format!("bgd-{number:016x}"),
        name,
        target: format!("{source}-green-{:06x}", number % (1 << 24)),
        source,
        created_at: context.now,
        status: context.settling("PROVISIONING", "AVAILABLE"),
        tags: Tags::from_request(input.list("Tags")),
    };
    let answer = result(&deployment, deployment.status.status(context.now));
    let key = context.scope.key(&deployment.id);
    context.state.blue_green_deployments.insert(key, deployment);
    Ok(answer)
}

pub(super) fn describe(context: &mut Context<'_>, input: &Input) -> Answer {
    let all = context.state.blue_green_deployments.values();
    let mut found: Vec<&BlueGreenDeployment> =
        all.filter(|one| one.scope == *context.scope).collect();
    if let Some(id) = input.text("BlueGreenDeploymentIdentifier") {
        find(context, id)?;
        found.retain(|one| one.id == id);
    }
    let has = |one: &&BlueGreenDeployment, filter: &str, value: &str| match filter {
        "blue-green-deployment-identifier" => one.id == value,
        "blue-green-deployment-name" => one.name == value,
        "source" => one.source == value,
        "target" => one.target == value,
        _ => false,
    };
    let found = paging::filtered(input, found, &FILTERS, has)?;
    let records = found.into_iter().map(|one| {
        let shown = shown(one, one.status.status(context.now));
        (one.id.clone(), shown)
    });
    paging::page(input, "BlueGreenDeployments", records.collect())
}

pub(super) fn delete(context: &mut Context<'_>, input: &Input) -> Answer {
    let id = input.required("BlueGreenDeploymentIdentifier")?;
    let deployment = find(context, id)?;
    let key = context.scope.key(&deployment.id);
    context.state.blue_green_deployments.remove(&key);
    Ok(result(&deployment, "DELETING"))
}

/// The ARN of the blue database.
fn source(context: &Context<'_>, name: &str) -> Result<String, ApiError> {
    let (arn, engine, code) = match names::kind_in_arn(name) {
        Some("cluster") => {
            let cluster = context.cluster(name)?;
            (
                cluster.arn(),
                cluster.engine(),
                "SourceClusterNotSupportedFault",
            )
        }
        _ => {
            let instance = context.instance(name)?;
            let engine = instance.engine();
            (instance.arn(), engine, "SourceDatabaseNotSupportedFault")
        }
    };
    let product = context.product(engine)?;
    let is_open = matches!(
        product.system,
        System::MySql | System::MariaDb | System::Postgres
    );
    match is_open && product.offer != Offer::Custom {
        true => Ok(arn),
        false => Err(ApiError::new(
            code,
            format!("{engine} has no blue/green deployments."),
        )),
    }
}

fn find(context: &Context<'_>, id: &str) -> Result<BlueGreenDeployment, ApiError> {
    let key = context.scope.key(id);
    let found = context.state.blue_green_deployments.get(&key);
    found.cloned().ok_or_else(|| {
        let message = format!("Blue/green deployment {id} not found.");
        ApiError::new("BlueGreenDeploymentNotFoundFault", message)
    })
}

fn result(deployment: &BlueGreenDeployment, status: &str) -> Map<String, Value> {
    Map::from_iter([("BlueGreenDeployment".to_owned(), shown(deployment, status))])
}

fn shown(deployment: &BlueGreenDeployment, status: &str) -> Value {
    json!({
        "BlueGreenDeploymentIdentifier": deployment.id,
        "BlueGreenDeploymentName": deployment.name,
        "Source": deployment.source,
        "Target": deployment.target,
        "Status": status,
        "CreateTime": deployment.created_at.to_string(),
        "SwitchoverDetails": [{
            "SourceMember": deployment.source,
            "TargetMember": deployment.target,
            "Status": status,
        }],
        "TagList": deployment.tags.describe(),
    })
}
