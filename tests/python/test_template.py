"""The templates of deploy/, by the tools that others wrote for such: cfn-lint, SAM's translator,
and parliament, which knows every action of AWS with its resources and conditions."""

import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

import parliament
from policies import ROOT, TARGET_ACCOUNT, TEMPLATE, listed, load, policies, statements, table
from samtranslator.translator.transform import transform

DEFINITION = json.loads((ROOT / "workflow" / "restore.asl.json").read_text())

# Actions that AWS authorises for everything or not at all, and who needs them for what.
ON_EVERYTHING = {
    "ec2:DescribeNetworkInterfaces": "Lambda itself, to put a function into a VPC; not the function's code",
    "ec2:DescribeSubnets": "the same",
    "logs:CreateLogDelivery": "Step Functions, to write its log",
    "logs:DeleteLogDelivery": "the same",
    "logs:DescribeLogGroups": "the same",
    "logs:DescribeResourcePolicies": "the same",
    "logs:GetLogDelivery": "the same",
    "logs:ListLogDeliveries": "the same",
    "logs:PutResourcePolicy": "the same",
    "logs:UpdateLogDelivery": "the same",
    "rds:DescribeAccountAttributes": "Plan, to see the quotas",
    "rds:DescribeDBEngineVersions": "Plan, to see whether the engine version is offered",
    "rds:DescribeEvents": "Restore and Configure, to see what failed asynchronously",
    "route53:ListHostedZones": "Plan, to find records that lead to the target",
    "xray:GetSamplingRules": "Step Functions, to trace",
    "xray:GetSamplingTargets": "the same",
    "xray:PutTelemetryRecords": "tracing",
    "xray:PutTraceSegments": "tracing",
}

# Kinds of resources that an action has and that are none of ours.
NOT_OURS = {"states:DescribeExecution": ["express*"]}

# What actions may need besides, by AWS's own list, and don't need here: nobody makes use of that part of them.
NEEDLESS = {
    "ec2:CreateTags": "Lambda does not tag network interfaces",
    "rds:CopyCustomDBEngineVersion": "RDS Custom is control plane only",
    "rds:CreateTenantDatabase": "tenant databases come with their snapshot",
    "rds:DeleteTenantDatabase": "and go with their instance",
}
SETTING = {
    "iam:PassRole", "kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey",
    "secretsmanager:CreateSecret", "secretsmanager:RotateSecret", "secretsmanager:TagResource",
}
SNAPSHOTS = {"rds:CreateDBClusterSnapshot", "rds:CreateDBSnapshot"}
NEEDLESS_FOR = {
    "MoveAsideRole": SETTING | SNAPSHOTS,  # renames, and deletes without a final snapshot
    "PromoteRole": SETTING,  # renames
    "RestoreRole": {"secretsmanager:CreateSecret", "secretsmanager:TagResource"},  # passwords are Configure's
    "RetireRole": SETTING,  # takes the protection off
    "RollBackRole": SETTING | SNAPSHOTS,  # renames, and deletes without a final snapshot
}


def tasks(states):
    """Every task's name with the seconds that its states give it."""
    for state in states.values():
        if state["Type"] == "Task":
            yield re.fullmatch(r"\$\{(\w+)\}", state["Resource"])[1], state["TimeoutSeconds"]
        for inner in [state.get("ItemProcessor"), state.get("Iterator"), *state.get("Branches", [])]:
            if inner:
                yield from tasks(inner["States"])


def service(action):
    """What AWS says of the service of an action."""
    return next(it for it in parliament.iam_definition if it["prefix"] == action.split(":")[0])


def described(action):
    """What AWS says of an action."""
    return next(it for it in service(action)["privileges"] if it["privilege"] == action.split(":")[1])


class NoManagedPolicies:
    def load(self):
        return {}


class Templates(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.template = load()
        cls.everybody = policies(cls.template) | policies(load(TARGET_ACCOUNT))

    def functions(self):
        resources = self.template["Resources"].items()
        return {
            resource["Properties"]["Handler"]: resource["Properties"]
            for name, resource in resources
            if resource["Type"] == "AWS::Serverless::Function"
        }

    def test_cfn_lint_finds_nothing(self):
        lint = [Path(sys.executable).parent / "cfn-lint", "--format", "parseable", TEMPLATE, TARGET_ACCOUNT]
        found = subprocess.run(lint, capture_output=True, text=True)
        self.assertEqual(found.stdout + found.stderr, "")

    def test_sam_translates_it(self):
        template = load()
        template["Globals"]["Function"]["CodeUri"] = "s3://bucket/bootstrap.zip"
        template["Resources"]["StateMachine"]["Properties"]["DefinitionUri"] = "s3://bucket/restore.asl.json"
        os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
        made = transform(template, {}, NoManagedPolicies())["Resources"].values()
        lambdas = [it["Properties"] for it in made if it["Type"] == "AWS::Lambda::Function"]
        self.assertEqual({it["Handler"] for it in lambdas}, set(self.functions()))
        for function in lambdas:
            self.assertIn("TRAPHEUS_STATE_MACHINE_ARN", function["Environment"]["Variables"])

    def test_every_task_has_a_function_with_a_role_of_its_own(self):
        wanted = {task for task, _ in tasks(DEFINITION["States"])}
        functions = self.functions()
        machine = self.template["Resources"]["StateMachine"]["Properties"]
        for task in wanted:
            self.assertEqual(functions[task]["Role"], {"Fn::GetAtt": [f"{task}Role", "Arn"]})
            self.assertEqual(machine["DefinitionSubstitutions"][task], {"Fn::GetAtt": [f"{task}Function", "Arn"]})
        self.assertEqual(wanted, set(functions))
        self.assertEqual(wanted, set(machine["DefinitionSubstitutions"]))
        invoked = statements({"": self.everybody["StateMachineRole"]["StateMachine"]})[0]["Resource"]
        self.assertEqual({arn.rsplit("-", 1)[1] for arn in invoked}, wanted)

    def test_a_function_ends_before_its_state_gives_up(self):
        usual = self.template["Globals"]["Function"]["Timeout"]
        for task, limit in tasks(DEFINITION["States"]):
            self.assertLess(self.functions()[task].get("Timeout", usual), limit, task)

    def test_parliament_finds_nothing(self):
        for role, documents in self.everybody.items():
            for name, document in documents.items():
                found = parliament.analyze_policy_string(json.dumps(document)).findings
                # It asks this of each statement by itself; a test below asks it of the whole role.
                found = [str(it) for it in found if it.issue != "RESOURCE_MISMATCH"]
                self.assertEqual(found, [], f"{role}, {name}")

    def test_only_what_has_no_resources_is_allowed_on_everything(self):
        found = set()
        for documents in self.everybody.values():
            for statement in statements(documents):
                for action in listed(statement["Action"]):
                    self.assertNotIn("*", action)
                    if "*" in listed(statement["Resource"]):
                        found.add(action)
        self.assertEqual(found, set(ON_EVERYTHING))

    def test_an_action_is_allowed_on_every_kind_of_resource_that_it_needs(self):
        for role, documents in self.everybody.items():
            everything = statements(documents)
            for action in {action for it in everything for action in listed(it["Action"])}:
                self.check_resources(role, action, everything)

    def test_the_documentation_has_the_table(self):
        self.assertIn(table(self.template), (ROOT / "docs" / "aws.md").read_text())

    def test_what_an_action_needs_besides_is_allowed(self):
        for role, documents in self.everybody.items():
            allowed = {action for it in statements(documents) for action in listed(it["Action"])}
            needed = {
                besides
                for action in allowed
                for kind in described(action)["resource_types"]
                for besides in kind["dependent_actions"]
            }
            missing = needed - allowed - set(NEEDLESS)
            self.assertEqual(missing, NEEDLESS_FOR.get(role, set()), role)

    def check_resources(self, role, action, everything):
        allowing = [it for it in everything if action in listed(it["Action"])]
        patterns = [pattern for it in allowing for pattern in listed(it["Resource"])]
        arns = {it["resource"]: re.sub(r"\$\{\w+\}", "*", it["arn"]) for it in service(action)["resources"]}
        for kind in described(action)["resource_types"]:
            kind = kind["resource_type"]
            if kind.endswith("*") and kind not in NOT_OURS.get(action, []):
                fits = any(parliament.is_arn_match(kind, arns[kind[:-1]], pattern) for pattern in patterns)
                self.assertTrue(fits, f"{role} may not {action} on any {kind}: {patterns}")
