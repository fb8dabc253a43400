//! The rules for names, with RDS's own refusals.

use crate::api::error::ApiError;
use crate::state::Scope;

/// The longest name of an instance.
pub(crate) const INSTANCE_LENGTH_MAX: usize = 63;

/// The longest name of a snapshot or a group.
pub(crate) const OTHER_LENGTH_MAX: usize = 255;

/// A name as it is stored, in lower case: letters, digits and single hyphens, first a letter, no hyphen at the end.
pub(crate) fn parse(parameter: &str, name: &str, length_max: usize) -> Result<String, ApiError> {
    let is_well_formed = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '-')
        && !name.ends_with('-')
        && !name.contains("--");
    if !is_well_formed {
        return Err(ApiError::value(format!(
            "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain \
             only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )));
    }
    if name.len() > length_max {
        return Err(ApiError::value(format!(
            "The parameter {parameter} is not a valid identifier because it is longer than {length_max} characters."
        )));
    }
    Ok(name.to_ascii_lowercase())
}

/// The name that somebody refers to by name or by ARN.
pub(crate) fn referred(name_or_arn: &str) -> String {
    let name = match name_or_arn.starts_with("arn:") {
        true => name_or_arn.splitn(7, ':').nth(6).unwrap_or(name_or_arn),
        false => name_or_arn,
    };
    name.to_ascii_lowercase()
}

/// RDS's short word for the kind of thing that an ARN names, such as `db` or `cluster`.
pub(crate) fn kind_in_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(4)
}

/// The account and Region in an ARN.
pub(crate) fn scope_in_arn(arn: &str) -> Option<Scope> {
    let mut parts = arn.strip_prefix("arn:")?.split(':').skip(2);
    let (region, account) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(Scope { account, region })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_and_lower_cased() {
        assert_eq!(
            parse("X", "My-Temp-DB", INSTANCE_LENGTH_MAX).unwrap(),
            "my-temp-db"
        );
        assert!(parse("X", &"a".repeat(63), INSTANCE_LENGTH_MAX).is_ok());
        for wrong in ["", "1a", "a-", "a--b", "a_b", "rds:a", &"a".repeat(64)] {
            assert_eq!(
                parse("X", wrong, INSTANCE_LENGTH_MAX).unwrap_err().code,
                "InvalidParameterValue",
                "{wrong}"
            );
        }
    }

    #[test]
    fn an_arn_refers_to_its_name() {
        assert_eq!(
            referred("arn:aws:rds:eu-west-1:123456789012:db:Orders"),
            "orders"
        );
        assert_eq!(
            referred("arn:aws:rds:eu-west-1:123456789012:snapshot:rds:orders-1"),
            "rds:orders-1"
        );
        assert_eq!(referred("Orders"), "orders");
    }
}
