"""Somebody else's Step Functions and Lambda: moto's States Language interpreter, whose tasks are
real function processes behind an emulated Lambda Runtime API.

Started with a bootstrap, it makes the state machine from `workflow/restore.asl.json`, with a
function for every `${Name}` in it, and prints one JSON line when it is ready: `endpointUrl`,
`stateMachineArn` and `functions` (ARN by name). All other services are moto's own, so that S3,
SES, SNS, Secrets Manager, EventBridge and STS answer at the same place. RDS is moto's too, unless
the functions' environment says otherwise (`--env AWS_ENDPOINT_URL_RDS=...`).

Beside the services it answers:
- `POST /_execute` with `{"name": "...", "input": {...}}`: runs an execution to its end, and answers
  with its status, error, cause, output and the states that it entered.
- `POST /_boto3` with `{"service": "s3", "call": "create_bucket", "arguments": {...}}`: makes that
  call.
- `POST /_invoke` with `{"function": "Restore", "payload": {...}}`: calls one function by itself.
- `GET /_invocations`: every call of a function so far, in order: function, payload, milliseconds,
  error.
- `GET /_messages`: what SES and SNS were given to deliver.
- `GET /_events`: what was put on EventBridge.
- `GET /_calls`, `POST /_deny`: Step Functions' own calls, see `step_functions_history.py`.
- `POST /_faults` with `{"function": "Restore", "error": "TooManyRequestsException", "times": 2}`:
  Lambda itself fails the next calls of that function by its own error; with
  `{"function": "Restore", "kill_after": 0.1}` the process of its next call is killed.

Where moto 5.2.5 is unlike AWS is corrected in `_correct_moto` and in `step_functions_history.py`,
each place with what moto does and what AWS does. Ends when its standard input does, and takes all
functions along.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="us-east-1"
)

import boto3
from botocore.exceptions import ClientError
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.config import default_user_config
from moto.events.models import EventsBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.stepfunctions.parser.api import (
    HistoryEventType,
    LambdaFunctionFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
    CustomErrorName,
)
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import (
    StateTaskLambda,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from werkzeug.serving import make_server

import step_functions_history
from moto_rds import QuietHandler, messages

DEFINITION = Path(__file__).parents[2] / "workflow" / "restore.asl.json"
REGION = "us-east-1"
VERSION = "/2018-06-01/runtime"


class Environment:
    """One execution environment of a function: a process, and the Runtime API that it asks."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._events: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._answers: queue.Queue[tuple[bool, bytes]] = queue.Queue()
        self._api = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._api.daemon_threads = True
        # A process that is ended leaves its connection; nobody has to be told.
        self._api.handle_error = lambda *_: None
        threading.Thread(target=self._api.serve_forever, args=(0.02,), daemon=True).start()
        self.began = time.monotonic()
        # How long the process took from its start until it asked for its first event, and when it
        # was given the last one and answered it.
        self.ready_after: float | None = None
        self.asked = self.answered = 0.0
        self.process = subprocess.Popen(
            function.command,
            env=function.environment(f"127.0.0.1:{self._api.server_port}"),
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )

    def invoke(self, payload: bytes) -> tuple[bool, bytes]:
        """Has the process answer one event; returns whether that is an error, and the answer."""
        request = str(uuid.uuid4())
        self.asked = time.monotonic()
        self._events.put((request, payload))
        # A function's time begins when its process is ready; that it starts is counted apart.
        while self.ready_after is None or time.monotonic() < self.asked + self._function.timeout:
            try:
                return self._answers.get(timeout=0.01)
            except queue.Empty:
                if (code := self.process.poll()) is not None:
                    how = f"signal: {-code}" if code < 0 else f"exit status {code}"
                    text = f"RequestId: {request} Error: Runtime exited with error: {how}"
                    return True, _failure("Runtime.ExitError", text)
        self.stop()
        text = f"RequestId: {request} Error: Task timed out after {self._function.timeout:.2f} seconds"
        return True, _failure("Sandbox.Timedout", text)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        if self.is_alive():
            self.process.kill()
        self.process.wait()
        self._api.shutdown()
        self._api.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        environment = self

        class RuntimeApi(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # The headers and the body are two writes: without this the second one waits.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                if self.path != f"{VERSION}/invocation/next":
                    return self._answer(404, b"")
                ready = time.monotonic()
                request, payload = environment._events.get()
                environment.asked = time.monotonic()
                if environment.ready_after is None:
                    environment.ready_after = ready - environment.began
                deadline = int((time.time() + environment._function.timeout) * 1000)
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Deadline-Ms": str(deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": environment._function.arn,
                    "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
                }
                self._answer(200, payload, headers)

            def do_POST(self) -> None:
                body = self._body()
                environment.answered = time.monotonic()
                match self.path.removeprefix(f"{VERSION}/").split("/"):
                    case ["invocation", _, "response"]:
                        environment._answers.put((False, body))
                    case ["invocation", _, "error"] | ["init", "error"]:
                        environment._answers.put((True, body))
                    case _:
                        return self._answer(404, b"")
                self._answer(202, b'{"status":"OK"}')

            def _body(self) -> bytes:
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length") or 0))
                chunks = []
                while size := int(self.rfile.readline(), 16):
                    chunks.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(chunks)

            def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = {}) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        return RuntimeApi


class Function:
    """A Lambda function: as many environments as it has calls at a time, kept warm between them."""

    def __init__(self, name: str, command: list[str], timeout: float, env: dict[str, str]) -> None:
        self.name = name
        self.arn = f"arn:aws:lambda:{REGION}:{DEFAULT_ACCOUNT_ID}:function:trapheus-{name}"
        self.command = command
        self.timeout = timeout
        self.settings = env
        self._idle: list[Environment] = []
        self.environments: list[Environment] = []
        self._lock = threading.Lock()
        self._faults: list[dict[str, Any]] = []

    def environment(self, runtime_api: str) -> dict[str, str]:
        """What Lambda tells a function's process, and what its template tells it."""
        return {
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": f"trapheus-{self.name}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/trapheus-{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "harness",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "LAMBDA_TASK_ROOT": "/var/task",
            "PATH": os.environ.get("PATH", ""),
            "_HANDLER": self.name,
            **self.settings,
        }

    def fail(self, fault: dict[str, Any]) -> None:
        """Has Lambda itself fail calls to come."""
        with self._lock:
            self._faults.extend([fault] * fault.get("times", 1))

    def invoke(self, payload: bytes) -> tuple[bool, bytes]:
        with self._lock:
            fault = self._faults.pop(0) if self._faults else {}
            self._idle = [idle for idle in self._idle if idle.is_alive()]
            environment = self._idle.pop() if self._idle and "error" not in fault else None
        if "error" in fault:
            status = 429 if fault["error"] == "TooManyRequestsException" else 500
            raise _of_lambda(fault["error"], status)
        if environment is None:
            environment = Environment(self)
            with self._lock:
                self.environments.append(environment)
        if "kill_after" in fault:
            threading.Timer(fault["kill_after"], environment.process.kill).start()
        answer = environment.invoke(payload)
        with self._lock:
            self._idle.append(environment)
        return answer

    def stop(self) -> None:
        for environment in self.environments:
            environment.stop()


class Functions:
    """All functions, and the list of their calls."""

    def __init__(self) -> None:
        self.by_name: dict[str, Function] = {}
        self.invocations: list[dict[str, Any]] = []

    def add(self, function: Function) -> None:
        self.by_name[function.name] = function

    def invoke(self, arn: str, payload: bytes) -> dict[str, Any]:
        """What Lambda's Invoke answers, as boto3 gives it to its caller."""
        name = arn.rsplit(":", 1)[-1].removeprefix("trapheus-")
        if name not in self.by_name:
            raise _of_lambda("ResourceNotFoundException", 404)
        call: dict[str, Any] = {"function": name, "payload": json.loads(payload)}
        self.invocations.append(call)
        began = time.monotonic()
        try:
            is_error, body = self.by_name[name].invoke(payload)
        except ClientError as error:
            call["error"] = f"Lambda.{error.response['Error']['Code']}"
            raise
        answer = json.loads(body)
        call["milliseconds"] = round((time.monotonic() - began) * 1000)
        if is_error:
            call["error"] = answer.get("errorType")
        failed = {"FunctionError": "Unhandled"} if is_error else {}
        return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": answer, **failed}

    def stop(self) -> None:
        for function in self.by_name.values():
            function.stop()


def _failure(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _of_lambda(code: str, status: int) -> ClientError:
    error = {"Error": {"Code": code, "Message": "Lambda failed by itself"}}
    metadata = {"ResponseMetadata": {"HTTPStatusCode": status, "RequestId": str(uuid.uuid4())}}
    return ClientError({**error, **metadata}, "Invoke")


def _correct_moto(functions: Functions, events: list[dict[str, Any]], pace: float) -> None:
    """moto, as AWS is where an execution would notice."""

    # moto invokes its own emulation of Lambda, which echoes its input.
    def invoke(parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        return functions.invoke(parameters["FunctionName"], parameters["Payload"])

    lambda_eval_utils._invoke_lambda_function = invoke

    # moto names every error of Lambda itself `Exception`; Step Functions names it `Lambda.` and
    # the error's code. An answer without a type is `Lambda.Unknown` there.
    moto_from_error = StateTaskLambda._from_error

    def from_error(self: StateTaskLambda, env: Any, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            error, cause = f"Lambda.{ex.response['Error']['Code']}", ex.response["Error"]["Message"]
        elif isinstance(
            ex, lambda_eval_utils.LambdaFunctionErrorException
        ) and "errorType" not in json.loads(ex.payload):
            error, cause = "Lambda.Unknown", ex.payload
        else:
            return moto_from_error(self, env, ex)
        details = LambdaFunctionFailedEventDetails(error=error, cause=cause)
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=HistoryEventType.LambdaFunctionFailed,
            event_details=EventDetails(lambdaFunctionFailedEventDetails=details),
        )

    StateTaskLambda._from_error = from_error

    # moto waits in real time, which is right; a test may have it wait a part of that only. It also
    # waits where nobody can interrupt it, but a stopped execution only shows once it has woken up.
    class Paced:
        @staticmethod
        def sleep(seconds: float) -> None:
            time.sleep(seconds * pace)

    retrier_decl.time = Paced

    # moto drops an event that no rule matches; here it is written down for `GET /_events`.
    moto_put_events = EventsBackend.put_events

    def put_events(self: EventsBackend, entries: list[dict[str, Any]]) -> Any:
        events.extend(entries)
        return moto_put_events(self, entries)

    EventsBackend.put_events = put_events


class Control:
    """moto's application, with the pages of this harness beside it."""

    client: Any
    endpoint_url: str
    machine_arn: str

    def __init__(self, application: Any, functions: Functions, events: list[Any]) -> None:
        self._application = application
        self._functions = functions
        self._events = events

    def __call__(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        match environment["REQUEST_METHOD"], environment["PATH_INFO"]:
            case "GET", "/_invocations":
                shown: Any = self._functions.invocations
            case "GET", "/_messages":
                shown = messages()
            case "GET", "/_events":
                shown = self._events
            case "POST", "/_faults":
                shown = _read(environment)
                self._functions.by_name[shown["function"]].fail(shown)
            case "POST", "/_execute":
                shown = self._execute(**_read(environment))
            case "POST", "/_boto3":
                asked = _read(environment)
                client = boto3.client(asked["service"], endpoint_url=self.endpoint_url)
                shown = getattr(client, asked["call"])(**asked["arguments"])
            case "POST", "/_invoke":
                asked = _read(environment)
                shown = self._functions.invoke(
                    asked["function"], json.dumps(asked["payload"]).encode()
                )
            case _:
                return self._application(environment, start)
        body = json.dumps(shown, default=str).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _execute(self, name: str, input: dict[str, Any]) -> dict[str, Any]:
        started = self.client.start_execution(
            stateMachineArn=self.machine_arn, name=name, input=json.dumps(input)
        )
        arn = started["executionArn"]
        while (ended := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            time.sleep(0.02)
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        entered = [event.get("stateEnteredEventDetails") for event in events]
        return {
            "status": ended["status"],
            "error": ended.get("error"),
            "cause": ended.get("cause"),
            "output": json.loads(ended.get("output", "null")),
            "path": [details["name"] for details in entered if details],
        }


def _read(environment: dict[str, Any]) -> Any:
    length = int(environment.get("CONTENT_LENGTH") or 0)
    return json.loads(environment["wsgi.input"].read(length))


def start(
    command: list[str],
    env: Mapping[str, str] = {},
    *,
    machine: str = "trapheus-restore",
    timeout: float = 60,
    pace: float = 1,
) -> tuple[dict[str, Any], Functions]:
    """Starts everything in this process; returns what `main` prints, and the functions."""
    # What a state lets go wrong is in the history, not something to be logged.
    logging.disable(logging.CRITICAL)
    functions, events = Functions(), []
    _correct_moto(functions, events, pace)
    step_functions_history.correct()
    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    control = Control(DomainDispatcherApplication(create_backend_app), functions, events)
    application = step_functions_history.Calls(control)
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=QuietHandler
    )
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    endpoint_url = f"http://127.0.0.1:{server.server_port}"
    machine_arn = f"arn:aws:states:{REGION}:{DEFAULT_ACCOUNT_ID}:stateMachine:{machine}"
    given = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "TRAPHEUS_STATE_MACHINE_ARN": machine_arn,
        **env,
    }
    definition = DEFINITION.read_text()
    for name in sorted(set(re.findall(r"\$\{(\w+)\}", definition))):
        functions.add(Function(name, command, timeout, given))
        definition = definition.replace(f"${{{name}}}", functions.by_name[name].arn)
    control.client = boto3.client("stepfunctions", endpoint_url=endpoint_url)
    control.endpoint_url = endpoint_url
    control.machine_arn = machine_arn
    control.client.create_state_machine(
        name=machine,
        definition=definition,
        roleArn=f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/trapheus",
    )
    ready = {
        "endpointUrl": endpoint_url,
        "stateMachineArn": machine_arn,
        "functions": {name: function.arn for name, function in functions.by_name.items()},
    }
    return ready, functions


def main() -> None:
    """Serves until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bootstrap", nargs="+", help="the command that is every function's process")
    parser.add_argument(
        "--env", action="append", default=[], metavar="NAME=VALUE", help="for every function"
    )
    parser.add_argument("--machine", default="trapheus-restore", help="the state machine's name")
    parser.add_argument("--timeout", type=float, default=60, help="a function's, in seconds")
    parser.add_argument("--pace", type=float, default=1, help="how much of a retry's wait to wait")
    arguments = parser.parse_args()
    env = dict(pair.split("=", 1) for pair in arguments.env)
    ready, functions = start(
        arguments.bootstrap,
        env,
        machine=arguments.machine,
        timeout=arguments.timeout,
        pace=arguments.pace,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps(ready), flush=True)
    try:
        sys.stdin.read()
    finally:
        functions.stop()
        # Executions that still run, or wait, must not keep the process.
        os._exit(0)


if __name__ == "__main__":
    main()
