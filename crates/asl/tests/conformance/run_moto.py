"""Runs every case of this directory in moto's States Language interpreter.

Prints one JSON object: for each case's name its status, the states entered in order, its output
or its error and cause, and how long it would have waited. The tasks are played from the case's
script; waits and back-offs are added up instead of slept through, and a task that hangs times out
at once, so no outcome depends on how fast the machine is.
"""

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1"
)

import boto3
from moto import mock_aws
from moto.stepfunctions.parser.api import (
    HistoryEventType,
    LambdaFunctionFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import TimeoutSeconds
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import (
    WaitFunction,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

ARN_PREFIX = "arn:aws:lambda:us-east-1:123456789012:function:"
ROLE = "arn:aws:iam::123456789012:role/conformance"


class Player:
    """Answers the tasks of one case and adds up its waits."""

    def __init__(self, tasks):
        self.tasks = {resource: list(runs) for resource, runs in tasks.items()}
        self.waited_seconds = 0.0
        self.hanging = threading.Event()
        self.lock = threading.Lock()

    def wait(self, seconds):
        with self.lock:
            self.waited_seconds += max(0, seconds)

    def run(self, env, parameters, **_):
        resource = parameters["FunctionName"].removeprefix(ARN_PREFIX)
        with self.lock:
            runs = self.tasks[resource]
            answer = runs.pop(0) if len(runs) > 1 else runs[0]
        if answer == "hang":
            self.hanging.set()
            time.sleep(3600)
        if answer == "echo":
            env.stack.append({"Payload": json.loads(parameters["Payload"])})
        elif "error" in answer:
            fail(env, **answer["error"])
        elif "letters" in answer:
            env.stack.append({"Payload": "x" * answer["letters"]})
        else:
            env.stack.append({"Payload": answer["output"]})


def answered(player):
    """The class of the event that tells a state that its task has answered.

    It waits however long the answer takes, but not for a task that hangs.
    """

    class Answered(threading.Event):
        def wait(self, timeout=None):
            limited = timeout is not None and timeout < TimeoutSeconds.DEFAULT_TIMEOUT_SECONDS
            while not super().wait(0.005):
                if limited and player.hanging.is_set():
                    player.hanging.clear()
                    return False
            return True

    return Answered


def fail(env, error, cause):
    raise FailureEventException(
        FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=HistoryEventType.LambdaFunctionFailed,
            event_details=EventDetails(
                lambdaFunctionFailedEventDetails=LambdaFunctionFailedEventDetails(
                    error=error, cause=cause
                )
            ),
        )
    )


def with_arns(node):
    """The definition with resources that moto takes for Lambda functions."""
    if isinstance(node, dict):
        node = {key: with_arns(value) for key, value in node.items()}
        if node.get("Type") == "Task":
            node["Resource"] = ARN_PREFIX + node["Resource"].strip("${}")
    elif isinstance(node, list):
        node = [with_arns(value) for value in node]
    return node


def definition_of(case, directory):
    if "definitionFile" in case:
        return json.loads((directory / case["definitionFile"]).read_text())
    return case["definition"]


def play(client, name, case, directory):
    tasks = {resource.strip("${}"): runs for resource, runs in case.get("tasks", {}).items()}
    player = Player(tasks)
    # Only one case runs at a time, so its player can stand in for the whole process.
    lambda_eval_utils.execute_lambda_function_integration = player.run
    retrier_decl.time = SimpleNamespace(sleep=player.wait)
    execute_state.threading = SimpleNamespace(Event=answered(player))
    WaitFunction._wait_interval = lambda self, env, wait_seconds: player.wait(wait_seconds)
    definition = json.dumps(with_arns(definition_of(case, directory)))
    machine = client.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    started = client.start_execution(
        stateMachineArn=machine["stateMachineArn"],
        name="the-execution",
        input=json.dumps(case["input"]),
    )
    arn = started["executionArn"]
    while (status := client.describe_execution(executionArn=arn)["status"]) == "RUNNING":
        threading.Event().wait(0.005)
    return outcome(status, history(client, arn), player)


def history(client, arn):
    events = []
    for page in client.get_paginator("get_execution_history").paginate(executionArn=arn):
        events.extend(page["events"])
    return sorted(events, key=lambda event: event["id"])


def outcome(status, events, player):
    entered = [event for event in events if event["type"].endswith("StateEntered")]
    result = {
        "status": status,
        "path": [event["stateEnteredEventDetails"]["name"] for event in entered],
        "waitedSeconds": round(player.waited_seconds, 3),
    }
    # The history has what describe_execution garbles: a string as output comes without quotes.
    last = events[-1]
    if status == "SUCCEEDED":
        result["output"] = json.loads(last["executionSucceededEventDetails"]["output"])
    elif status == "FAILED":
        details = last.get("executionFailedEventDetails", {})
        result["error"] = details.get("error", "")
        result["cause"] = details.get("cause", "")
    return result


def main():
    # What a case lets go wrong is its outcome, not something to be logged.
    logging.disable(logging.CRITICAL)
    directory = Path(__file__).parent
    only = set(sys.argv[1:])
    outcomes = {}
    configuration = {"stepfunctions": {"execute_state_machine": True}}
    with mock_aws(config=configuration):
        client = boto3.client("stepfunctions")
        for path in sorted(directory.glob("*.json")):
            if not only or path.stem in only:
                case = json.loads(path.read_text())
                outcomes[path.stem] = play(client, path.stem, case, directory)
    json.dump(outcomes, sys.stdout, indent=2, sort_keys=True)
    sys.stdout.flush()
    # Threads of hanging tasks must not keep the process.
    os._exit(0)


main()
