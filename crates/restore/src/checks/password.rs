//! Which master password the restored database will have. A snapshot holds the one of its time,
//! and whoever connects with today's would be refused.

use trapheus_rds::MasterUserSecret;

use super::Check;
use crate::input::MasterPassword;
use crate::secrets::Secrets;

const NAME: &str = "master password";

/// Chooses what the input leaves open: what RDS manages, it manages again.
pub(crate) fn choose(asked: Option<&MasterPassword>, is_managed: bool) -> MasterPassword {
    match (asked, is_managed) {
        (Some(asked), _) => asked.clone(),
        (None, true) => MasterPassword::Managed,
        (None, false) => MasterPassword::KeepSnapshot,
    }
}

/// Says what the choice means for those who connect.
pub(crate) async fn check(
    chosen: &MasterPassword,
    managed: Option<&MasterUserSecret>,
    secrets: &dyn Secrets,
) -> Check {
    match (chosen, managed) {
        (MasterPassword::Managed, Some(secret)) => Check::warn(
            NAME,
            format!(
                "RDS makes a new one and keeps it in a new secret: whoever reads {} must be given the new \
                 secret's ARN, which the result names",
                secret.arn
            ),
        ),
        (MasterPassword::Managed, None) => Check::warn(
            NAME,
            "RDS makes a new one and keeps it in a secret, whose ARN the result names: the password of today \
             is refused from then on",
        ),
        (MasterPassword::KeepSnapshot, Some(secret)) => Check::warn(
            NAME,
            format!(
                "that of the snapshot's time, as the input asks; RDS manages today's in {} and won't manage \
                 the restored database's",
                secret.arn
            ),
        ),
        (MasterPassword::KeepSnapshot, None) => Check::pass(
            NAME,
            "that of the snapshot's time; where it has been changed since, `masterPassword` sets another",
        ),
        (MasterPassword::Secret(arn), _) => match secrets.login(arn).await {
            Ok(_) => Check::pass(
                NAME,
                format!("that of the secret {arn}, set before the swap"),
            ),
            Err(error) => Check::fail(NAME, format!("the secret {arn} can't be used: {error}")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rds_manages_stays_managed_unless_the_input_says_otherwise() {
        assert_eq!(choose(None, true), MasterPassword::Managed);
        assert_eq!(choose(None, false), MasterPassword::KeepSnapshot);
        let keep = MasterPassword::KeepSnapshot;
        assert_eq!(choose(Some(&keep), true), keep);
    }
}
