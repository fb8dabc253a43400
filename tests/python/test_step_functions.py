"""The harness of `step_functions.py`, with a process that stands in for ours."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
WHOLE = [
    "Plan", "WhatIsAsked", "WhichStrategy", "Restore", "Configure", "Prepare", "Verify",
    "MoveAside", "Promote", "Report", "WhatOfTheOriginal", "Retire", "Done",
]  # fmt: skip

PLAN = [{"task": "db_restore", "strategy": "swap", "keepOriginalSeconds": 0}]
WAITING = {"error": ["Trapheus.InProgress", '{"waiting":"for it"}']}
NOT_VERIFIED = {"error": ["Trapheus.VerificationFailed", '{"message":"no"}']}

# What the functions answer, by the execution that calls them.
ANSWERS = {
    "goes-well": {"Plan": PLAN, "Restore": [WAITING, WAITING, {"identifier": "x"}]},
    "fails": {"Plan": PLAN, "Verify": [NOT_VERIFIED]},
    "ends-processes": {"Configure": [{"exit": 3}], "RollBack": [{"sleep": 60}]},
    "meets-lambda": {"Plan": PLAN},
}


class StepFunctionsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        command = [sys.executable, "step_functions.py", "--pace", "0.01", "--timeout", "5"]
        command += ["--env", f"ANSWERS={json.dumps(ANSWERS)}", "--"]
        cls.harness = subprocess.Popen(
            [*command, sys.executable, "stand_in_bootstrap.py"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        cls.addClassCleanup(cls.harness.communicate)
        cls.ready = json.loads(cls.harness.stdout.readline())
        cls.client = boto3.client(
            "stepfunctions",
            endpoint_url=cls.ready["endpointUrl"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def control(self, page: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.ready['endpointUrl']}/{page}", data) as answer:
            return json.load(answer)

    def execute(self, name: str) -> tuple[dict[str, Any], list[str], list[str]]:
        """How an execution ended, the states that it entered, and the errors on its way."""
        started = self.client.start_execution(
            stateMachineArn=self.ready["stateMachineArn"], name=name, input='{"identifier":"x"}'
        )
        arn = started["executionArn"]
        while (ended := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        entered = [event.get("stateEnteredEventDetails") for event in events]
        failed = [event.get("lambdaFunctionFailedEventDetails") for event in events]
        return (
            ended,
            [details["name"] for details in entered if details],
            [details["error"] for details in failed if details],
        )

    def test_an_execution_is_carried_by_processes(self) -> None:
        ended, path, errors = self.execute("goes-well")
        self.assertEqual((ended["status"], path), ("SUCCEEDED", WHOLE))
        self.assertEqual(json.loads(ended["output"])["restored"], {"identifier": "x"})
        self.assertEqual(errors, ["Trapheus.InProgress"] * 2)
        called = [call["function"] for call in self.control("_invocations")]
        self.assertLessEqual({"Plan", "Restore", "Retire"}, set(called))

    def test_a_function_that_fails_is_an_error_with_the_envelope_as_its_cause(self) -> None:
        ended, path, _ = self.execute("fails")
        self.assertEqual(
            (ended["status"], ended["error"]), ("FAILED", "Trapheus.VerificationFailed")
        )
        self.assertEqual(path[-4:], ["Verify", "RollBack", "ReportFailure", "Failed"])
        cause = json.loads(ended["cause"])
        self.assertEqual(cause["errorType"], "Trapheus.VerificationFailed")
        self.assertEqual(json.loads(cause["errorMessage"]), {"message": "no"})

    def test_what_befalls_a_process_has_the_names_that_lambda_gives(self) -> None:
        for function, error in (
            ("Configure", "Runtime.ExitError"),
            ("RollBack", "Sandbox.Timedout"),
        ):
            asked = {"function": function, "payload": {"execution": "ends-processes"}}
            answer = self.control("_invoke", asked)
            self.assertEqual(answer["FunctionError"], "Unhandled")
            self.assertEqual(answer["Payload"]["errorType"], error)

    def test_lambda_itself_can_be_made_to_fail(self) -> None:
        self.control("_faults", {"function": "Promote", "error": "TooManyRequestsException"})
        _, _, errors = self.execute("meets-lambda")
        self.assertEqual(errors, ["Lambda.TooManyRequestsException"])


if __name__ == "__main__":
    unittest.main()
