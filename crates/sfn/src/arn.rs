//! The names of a state machine and of its executions.

/// The parts of a state machine's ARN:
/// `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineArn(String);

impl MachineArn {
    /// Reads an ARN; none where the text is none of a state machine.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(7, ':').collect();
        let is_one = matches!(
            parts[..],
            ["arn", _, "states", _, _, "stateMachine", name] if !name.is_empty()
        );
        is_one.then(|| Self(text.to_owned()))
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn part(&self, number: usize) -> &str {
        self.0.split(':').nth(number).unwrap_or_default()
    }

    /// The Region that it is in.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// The machine's name, without an alias or a version.
    pub fn name(&self) -> &str {
        self.part(6)
    }

    /// The ARN of one of its executions.
    pub fn execution(&self, name: &str) -> String {
        let (partition, region, account) = (self.part(1), self.region(), self.part(4));
        format!(
            "arn:{partition}:states:{region}:{account}:execution:{}:{name}",
            self.name()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_state_machines_arn_is_one() {
        let arn = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:trapheus-restore";
        let parsed = MachineArn::parse(arn).expect("it is one");
        assert_eq!(parsed.region(), "cn-north-1");
        assert_eq!(
            parsed.execution("run_1"),
            "arn:aws-cn:states:cn-north-1:123456789012:execution:trapheus-restore:run_1"
        );
        for other in [
            "trapheus-restore",
            "arn:aws:states:us-east-1:123456789012:execution:trapheus-restore:run_1",
            "arn:aws:states:us-east-1:123456789012:stateMachine:",
        ] {
            assert_eq!(MachineArn::parse(other), None);
        }
        let alias = MachineArn::parse(&format!("{arn}:live")).expect("it is one");
        assert_eq!(alias.name(), "trapheus-restore");
    }
}
