//! Which state machine: found by its ARN or its name, and compared with the definition that this
//! binary was built with.

use aws_config::Region;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::types::{StateMachineListItem, StateMachineType};
use serde_json::Value;
use trapheus_sfn::MachineArn;

use super::error::{EXPRESS, NO_MACHINE, failure};
use crate::aws;
use crate::error::Failure;
use crate::settings::{Machine, Settings};

/// A client in the machine's Region, and the machine's ARN.
pub(super) async fn find(
    settings: &Settings,
    machine: &Machine,
) -> Result<(Client, MachineArn), Failure> {
    let config = aws::config(settings).await;
    let named = &machine.state_machine.value;
    if let Some(arn) = MachineArn::parse(named) {
        let there = aws_sdk_sfn::config::Builder::from(&config)
            .region(Region::new(arn.region().to_owned()))
            .build();
        return Ok((Client::from_conf(there), arn));
    }
    let Some(region) = config.region() else {
        return Err(Failure::refused("no AWS Region is configured").hint(
            "pass --region, set AWS_REGION, or name the state machine by its ARN in --state-machine",
        ));
    };
    let client = Client::new(&config);
    let machines = list(&client).await?;
    let Some(item) = machines.iter().find(|item| item.name == *named) else {
        return Err(not_there(named, region.as_ref(), &machines));
    };
    if item.r#type == StateMachineType::Express {
        return Err(Failure::refused(format!("{named} is an EXPRESS state machine")).hint(EXPRESS));
    }
    let arn = MachineArn::parse(&item.state_machine_arn).ok_or_else(|| {
        Failure::failed(format!(
            "{} is no state machine's ARN",
            item.state_machine_arn
        ))
    })?;
    Ok((client, arn))
}

async fn list(client: &Client) -> Result<Vec<StateMachineListItem>, Failure> {
    let mut pages = client.list_state_machines().into_paginator().send();
    let mut machines = Vec::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| failure("list the state machines", "ListStateMachines", &error))?;
        machines.extend(page.state_machines);
    }
    Ok(machines)
}

/// Says which machines there are: with several stacks, it is one of them.
fn not_there(named: &str, region: &str, machines: &[StateMachineListItem]) -> Failure {
    let likely: Vec<&str> = machines
        .iter()
        .map(|machine| machine.name.as_str())
        .filter(|name| name.ends_with("-restore"))
        .collect();
    let message = format!("there is no state machine {named} in {region}");
    Failure::refused(message).hint(match likely[..] {
        [] => NO_MACHINE.to_owned(),
        [only] => format!("there is {only}: pass --state-machine {only}"),
        _ => format!("which of {}? Pass --state-machine NAME", likely.join(", ")),
    })
}

/// Where the machine's definition differs from this binary's, the first difference as a path; none
/// where it is the same but for the names of the functions.
pub(super) async fn difference(
    client: &Client,
    arn: &MachineArn,
) -> Result<Option<String>, Failure> {
    let described = client
        .describe_state_machine()
        .state_machine_arn(arn.as_str())
        .send()
        .await
        .map_err(|error| {
            let doing = format!("look at the state machine {}", arn.name());
            failure(doing, "DescribeStateMachine", &error)
        })?;
    if described.r#type == StateMachineType::Express {
        return Err(
            Failure::refused(format!("{} is an EXPRESS state machine", arn.name())).hint(EXPRESS),
        );
    }
    let ours = serde_json::from_str(trapheus_restore::DEFINITION).unwrap_or_default();
    let theirs = serde_json::from_str(&described.definition).unwrap_or_default();
    Ok(differs(&ours, &theirs, "$"))
}

/// The first place at which two definitions differ; a `${Name}` of ours stands for any text.
fn differs(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let unknown = theirs.keys().find(|key| !ours.contains_key(*key));
            let mut known = ours.iter();
            known
                .find_map(|(key, value)| {
                    let theirs = theirs.get(key).unwrap_or(&Value::Null);
                    differs(value, theirs, &format!("{path}.{key}"))
                })
                .or_else(|| unknown.map(|key| format!("{path}.{key}")))
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let mut pairs = ours.iter().zip(theirs).enumerate();
            pairs.find_map(|(at, (ours, theirs))| differs(ours, theirs, &format!("{path}[{at}]")))
        }
        (Value::String(ours), Value::String(_)) if ours.starts_with("${") => None,
        (ours, theirs) => (ours != theirs).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_is_the_same_whatever_its_functions_are_named() {
        let ours: Value = serde_json::from_str(trapheus_restore::DEFINITION).expect("it is JSON");
        let deployed = trapheus_restore::DEFINITION
            .replace("${", "arn:aws:lambda:us-east-1:123456789012:function:")
            .replace("}\",", "\",");
        let theirs: Value = serde_json::from_str(&deployed).expect("it is JSON");
        assert_eq!(differs(&ours, &theirs, "$"), None);

        let mut changed = theirs.clone();
        changed["States"]["Verify"]["Next"] = json!("Promote");
        let path = differs(&ours, &changed, "$");
        assert_eq!(path.as_deref(), Some("$.States.Verify.Next"));

        let mut longer = theirs;
        longer["States"]["Mine"] = json!({ "Type": "Pass", "End": true });
        let path = differs(&ours, &longer, "$");
        assert_eq!(path.as_deref(), Some("$.States.Mine"));
    }
}
