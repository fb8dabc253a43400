//! Requests of the Query protocol: a form in, a JSON document in the shape of the service model out.

use std::collections::BTreeMap;

use serde_json::{Map, Number, Value};

use super::error::ApiError;
use super::model::{Kind, MODEL, Presence};

/// How many levels a parameter's name has at most: several times what the service model needs, and few
/// enough for the stack.
const LEVELS_MAX: usize = 32;

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The action that is asked for.
    pub(crate) action: String,
    /// Everything else that the form says.
    pub(crate) parameters: BTreeMap<String, String>,
}

impl Request {
    /// Reads a form.
    pub(crate) fn parse(form: &[u8]) -> Result<Self, ApiError> {
        let mut parameters: BTreeMap<String, String> =
            form_urlencoded::parse(form).into_owned().collect();
        parameters.remove("Version");
        let action = parameters.remove("Action").ok_or_else(|| {
            ApiError::new(
                "MissingAction",
                "The request is missing an action parameter.",
            )
        })?;
        Ok(Self { action, parameters })
    }

    /// The members of the request in the shape of the model.
    pub(crate) fn input(&self, structure: &str) -> Result<Map<String, Value>, ApiError> {
        let mut tree = Node::default();
        for (path, value) in &self.parameters {
            if path.split('.').nth(LEVELS_MAX).is_some() {
                let message = format!("A parameter has more than {LEVELS_MAX} levels.");
                return Err(ApiError::new("InvalidParameterValue", message));
            }
            tree.insert(path, value);
        }
        tree.structure(structure)
    }
}

/// The form as a tree: `Tags.Tag.1.Key` is four levels deep.
#[derive(Debug, Default)]
struct Node {
    value: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, path: &str, value: &str) {
        let leaf = path.split('.').fold(self, |node, part| {
            node.children.entry(part.to_owned()).or_default()
        });
        leaf.value = Some(value.to_owned());
    }

    fn structure(&self, structure: &str) -> Result<Map<String, Value>, ApiError> {
        let members = MODEL.members(structure);
        if let Some(unknown) = self
            .children
            .keys()
            .find(|name| !members.iter().any(|member| member.name == **name))
        {
            let message = format!("Local RDS knows no parameter {unknown} of {structure}.");
            return Err(ApiError::new("InvalidParameterValue", message));
        }
        let mut values = Map::new();
        for member in members {
            match (self.children.get(member.name), member.presence) {
                (Some(node), _) => {
                    values.insert(
                        member.name.to_owned(),
                        node.typed(member.name, &member.kind)?,
                    );
                }
                (None, Presence::Required) => {
                    let message =
                        format!("The request must contain the parameter {}.", member.name);
                    return Err(ApiError::new("MissingParameter", message));
                }
                (None, Presence::Optional) => {}
            }
        }
        Ok(values)
    }

    fn typed(&self, name: &str, kind: &Kind) -> Result<Value, ApiError> {
        let text = self.value.as_deref().unwrap_or_default();
        let malformed = |expected: &str| {
            let message =
                format!("Value ({text}) for parameter {name} is invalid. It must be {expected}.");
            ApiError::new("InvalidParameterValue", message)
        };
        match kind {
            Kind::String => Ok(Value::from(text)),
            Kind::Integer => text
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| malformed("an integer")),
            Kind::Double => {
                let number = text.parse().ok().and_then(Number::from_f64);
                number.map(Value::from).ok_or_else(|| malformed("a number"))
            }
            Kind::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" => Ok(Value::from(true)),
                "false" | "0" => Ok(Value::from(false)),
                _ => Err(malformed("true or false")),
            },
            Kind::Timestamp => match text.parse::<jiff::Timestamp>() {
                Ok(timestamp) => Ok(Value::from(timestamp.to_string())),
                Err(_) => Err(malformed("a time such as 2026-01-31T12:00:00Z")),
            },
            Kind::Structure(structure) => self.structure(structure).map(Value::from),
            Kind::List { of, .. } => self.list(name, of),
        }
    }

    /// `Tags.Tag.1`, `Tags.member.1` and `Tags.1` all mean the first element; `Tags=` is an empty list.
    fn list(&self, name: &str, of: &Kind) -> Result<Value, ApiError> {
        let mut elements: Vec<(u32, &Self)> = Vec::new();
        for (key, node) in &self.children {
            match key.parse() {
                Ok(position) => elements.push((position, node)),
                Err(_) => {
                    elements.extend(
                        node.children
                            .iter()
                            .filter_map(|(key, node)| Some((key.parse().ok()?, node))),
                    );
                }
            }
        }
        elements.sort_by_key(|(position, _)| *position);
        elements
            .into_iter()
            .map(|(_, node)| node.typed(name, of))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_becomes_the_structure_of_the_model() {
        let form = b"Action=CreateDBInstance&Version=2014-10-31&DBInstanceIdentifier=orders&DBInstanceClass=db.t3.micro\
            &Engine=postgres&AllocatedStorage=20&MultiAZ=false&Tags.Tag.2.Key=b&Tags.Tag.1.Key=a&Tags.Tag.1.Value=1\
            &VpcSecurityGroupIds.member.1=sg-1&EnableCloudwatchLogsExports=";
        let request = Request::parse(form).unwrap();
        assert_eq!(request.action, "CreateDBInstance");
        let input = request.input("CreateDBInstanceMessage").unwrap();
        assert_eq!(
            Value::from(input),
            json!({
                "DBInstanceIdentifier": "orders", "AllocatedStorage": 20, "DBInstanceClass": "db.t3.micro",
                "Engine": "postgres", "VpcSecurityGroupIds": ["sg-1"], "MultiAZ": false,
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}], "EnableCloudwatchLogsExports": [],
            })
        );
    }

    #[test]
    fn what_the_model_does_not_have_is_refused() {
        let missing = Request::parse(b"Action=RebootDBInstance")
            .unwrap()
            .input("RebootDBInstanceMessage");
        assert_eq!(missing.unwrap_err().code, "MissingParameter");
        let unknown = Request::parse(b"Action=DescribeDBInstances&Nonsense=1").unwrap();
        assert_eq!(
            unknown
                .input("DescribeDBInstancesMessage")
                .unwrap_err()
                .code,
            "InvalidParameterValue"
        );
        assert_eq!(
            Request::parse(b"Version=1").unwrap_err().code,
            "MissingAction"
        );
    }
}
