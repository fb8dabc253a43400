//! The roles that a database may take, for instance to read from S3.

use serde_json::Value;
use trapheus_rds::{Class, Database, Role};

use super::Pass;
use crate::error::{ErrorName, TaskError};

/// The attribute; each of its values is a feature and a role's ARN.
pub(super) const ROLES: &str = "AssociatedRoles";

/// Makes it so that the database may take the roles that are asked for.
pub(super) async fn make_so(pass: &Pass<'_>) -> Result<(), TaskError> {
    let asked = wanted(pass.asked.settings.get(ROLES));
    for role in &asked {
        match found(pass.restored, role).map(|found| found.status.as_str()) {
            Some("ACTIVE") => {}
            Some("INVALID") => {
                let message = format!(
                    "the role {} can't be taken by {}: see that rds.amazonaws.com may assume it",
                    role.arn, pass.restored.identifier
                );
                return Err(TaskError::new(ErrorName::ModifyFailed, message));
            }
            Some(_) => return Err(waiting(role)),
            None => {
                let (rds, of) = (&pass.context.rds, pass.restored.identified());
                if pass
                    .context
                    .begins(&format!("role {} of {}", role.arn, of.name))
                {
                    match rds.add_role(&of, role).await {
                        // Added by an earlier attempt whose answer was lost: the next look tells.
                        Err(error) if error.class != Class::AlreadyExists => {
                            return Err(error.into());
                        }
                        Ok(()) | Err(_) => {}
                    }
                }
                return Err(waiting(role));
            }
        }
    }
    Ok(())
}

fn waiting(role: &Role) -> TaskError {
    TaskError::in_progress(format!("adding the role {}", role.arn))
}

fn wanted(value: Option<&Value>) -> Vec<Role> {
    let values = value.and_then(Value::as_array).into_iter().flatten();
    values
        .filter_map(|value| {
            let (feature, arn) = value.as_str()?.split_once(' ')?;
            Some(Role {
                arn: arn.to_owned(),
                feature: feature.to_owned(),
                status: String::new(),
            })
        })
        .collect()
}

fn found<'a>(restored: &'a Database, asked: &Role) -> Option<&'a Role> {
    restored
        .roles
        .iter()
        .find(|found| found.arn == asked.arn && found.feature == asked.feature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_without_a_feature_is_one_too() {
        let value = serde_json::json!([" arn:aws:iam::1:role/a", "s3Import arn:aws:iam::1:role/b"]);
        let roles = wanted(Some(&value));
        assert_eq!(roles[0].feature, "");
        assert_eq!(roles[1].arn, "arn:aws:iam::1:role/b");
        assert!(wanted(None).is_empty());
    }
}
