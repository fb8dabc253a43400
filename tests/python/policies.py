"""What a template allows whom: its policies, with everything optional in it, as IAM would see them."""

import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "template.yaml"
TARGET_ACCOUNT = ROOT / "deploy" / "target-account.yaml"

VARIABLES = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "trapheus",
    "AutomationAssumeRole": "TrapheusTargetRole",
    "Cname": "orders.example.com",
    "DatabaseRoleArns": ["arn:aws:iam::123456789012:role/monitoring"],
    "DatabaseSecretArns": ["arn:aws:secretsmanager:us-east-1:123456789012:secret:orders-AbCdEf"],
    "SenderEmail": "trapheus@example.com",
    "SourceAccountId": "111111111111",
    "SourceStackName": "trapheus",
    "targetAccountIds": ["222222222222"],
}

# What resources of the stack are called, where a policy names them.
ARNS = {
    "Bucket": "arn:aws:s3:::trapheus-bucket",
    "FunctionLogs": "arn:aws:logs:us-east-1:123456789012:log-group:/trapheus/trapheus:*",
    "Key": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "SlackSecret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:slack-AbCdEf",
    "StateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:trapheus-restore",
    "Topic": "arn:aws:sns:us-east-1:123456789012:trapheus",
}


def load(path=TEMPLATE):
    return yaml_parse(path.read_text())


def resolved(value):
    """A part of a template with every condition true and every reference followed."""
    match value:
        case {"Fn::If": [_, then, _]}:
            return resolved(then)
        case {"Ref": name}:
            return VARIABLES.get(name) or ARNS.get(name)
        case {"Fn::GetAtt": [name, "Arn"]} if name.endswith("Function"):
            return f"arn:aws:lambda:us-east-1:123456789012:function:trapheus-{name[:-8]}"
        case {"Fn::GetAtt": [name, "Arn"]}:
            return ARNS[name]
        case {"Fn::Sub": text}:
            def known(name):
                return VARIABLES.get(name) or ARNS[name.removesuffix(".Arn")]
            return re.sub(r"\$\{([^}]+)\}", lambda found: known(found[1]), text)
        case dict():
            return {key: resolved(inner) for key, inner in value.items()}
        case list():
            return [resolved(inner) for inner in value]
    return value


def listed(value):
    return value if isinstance(value, list) else [value]


def policies(template):
    """The policy documents by who has them: {role: {policy: document}}."""
    resources = template["Resources"]
    managed = {}
    for name, resource in resources.items():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            managed[name] = resolved(resource["Properties"]["PolicyDocument"])
    roles = {}
    for name, resource in resources.items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        properties = resource["Properties"]
        own = {policy["PolicyName"]: resolved(policy["PolicyDocument"]) for policy in properties.get("Policies", [])}
        for attached in properties.get("ManagedPolicyArns", []):
            own[attached["Ref"]] = managed[attached["Ref"]]
        for policy, document in managed.items():
            if {"Ref": name} in resources[policy]["Properties"].get("Roles", []):
                own[policy] = document
        roles[name] = own
    return roles


def statements(documents):
    return [statement for document in documents.values() for statement in listed(document["Statement"])]


def table(template):
    """How much each role may do, as docs/aws.md shows it."""
    rows = []
    for role, documents in policies(template).items():
        allowed = [it for it in statements(documents) if it["Effect"] == "Allow"]
        actions = {action for it in allowed for action in listed(it["Action"])}
        everything = {action for it in allowed if "*" in listed(it["Resource"]) for action in listed(it["Action"])}
        deletes = actions & {"rds:DeleteDBInstance", "rds:DeleteDBCluster"}
        rows.append((role.removesuffix("Role"), len(actions), len(everything), "yes" if deletes else "no"))
    head = "| role | actions | of them on `*` | may delete databases |\n|---|---|---|---|\n"
    return head + "\n".join("| {} | {} | {} | {} |".format(*row) for row in rows)


if __name__ == "__main__":
    print(table(load()))
