"""What AWS's Step Functions does and moto's doesn't, for whoever watches and stops executions.

`correct` changes moto 5.2.5 in these places:
- GetExecutionHistory gives everything at once there; here it has `maxResults`, `nextToken` and
  `reverseOrder`.
- StopExecution only shows when the task or the wait at hand is over there, and forgets the error
  and the cause that it is given; here the execution is ABORTED when the call returns, what its
  tasks still answer is ignored, and error and cause are in its last event.
- RedriveExecution is not there at all; here an execution that was aborted, failed or timed out goes
  on from the state that it was in, with that state's input, under the same ARN, after an event
  `ExecutionRedriven`. Not so: a state machine with a Map or a Parallel that was at work begins all
  of its iterations and branches again, and nothing is too old to be redriven.

`Calls` counts the calls of Step Functions, and refuses those that it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

from moto.core.responses import ActionResult
from moto.core.exceptions import ServiceException
from moto.stepfunctions.parser.api import (
    ExecutionAbortedEventDetails,
    ExecutionStatus,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.backend.execution import (
    BaseExecutionWorkerCommunication,
    Execution,
)
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.responses import StepFunctionResponse

REDRIVABLE = {ExecutionStatus.ABORTED, ExecutionStatus.FAILED, ExecutionStatus.TIMED_OUT}


class ExecutionNotRedrivable(ServiceException):
    code = "ExecutionNotRedrivable"


def correct() -> None:
    """Changes moto, for this process."""
    moto_describe = StepFunctionResponse.describe_execution

    def get_execution_history(self: StepFunctionResponse) -> ActionResult:
        arn = self._get_param("executionArn")
        events = self.stepfunction_backend.get_execution_history(arn)["events"]
        size = self._get_param("maxResults") or 100
        at = int(self._get_param("nextToken") or 0)
        # A page of the newest ones begins where the last one ended, whatever has come since.
        if self._get_param("reverseOrder"):
            before = at or len(events) + 1
            page = [event for event in reversed(events) if event["id"] < before][:size]
            more = bool(page) and page[-1]["id"] > 1
        else:
            page = [event for event in events if event["id"] > at][:size]
            more = bool(page) and page[-1]["id"] < len(events)
        token = {"nextToken": str(page[-1]["id"])} if more else {}
        return ActionResult({"events": page, **token})

    def stop_execution(self: StepFunctionResponse) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.exec_status == ExecutionStatus.RUNNING:
            _abort(execution, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    def redrive_execution(self: StepFunctionResponse) -> ActionResult:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.exec_status not in REDRIVABLE:
            raise ExecutionNotRedrivable(f"Execution is {execution.status}, it is not redrivable")
        _redrive(execution)
        return ActionResult({"redriveDate": datetime.now(tz=timezone.utc)})

    def describe_execution(self: StepFunctionResponse) -> ActionResult:
        described = moto_describe(self)
        redrivable = described.result["status"] in {status.value for status in REDRIVABLE}
        described.result["redriveStatus"] = "REDRIVABLE" if redrivable else "NOT_REDRIVABLE"
        return described

    StepFunctionResponse.get_execution_history = get_execution_history
    StepFunctionResponse.stop_execution = stop_execution
    StepFunctionResponse.redrive_execution = redrive_execution
    StepFunctionResponse.describe_execution = describe_execution

    # A thread that wakes up after its execution was stopped has nothing more to say of it.
    moto_reflect = BaseExecutionWorkerCommunication._reflect_execution_status

    def reflect(self: BaseExecutionWorkerCommunication) -> None:
        if self.execution.exec_status == ExecutionStatus.RUNNING:
            moto_reflect(self)

    BaseExecutionWorkerCommunication._reflect_execution_status = reflect


def _abort(execution: Execution, error: str | None, cause: str | None) -> None:
    now = datetime.now(tz=timezone.utc)
    env = execution.exec_worker.env
    events = env.event_manager
    given = {"error": error, "cause": cause}
    details = ExecutionAbortedEventDetails(**{k: v for k, v in given.items() if v is not None})
    context = env.event_history_context
    context.source_event_id = 0
    events.add_event(
        context=context,
        event_type=HistoryEventType.ExecutionAborted,
        event_details=EventDetails(executionAbortedEventDetails=details),
    )
    events.add_event = lambda *_, **__: 0
    execution.exec_status, execution.stop_date = ExecutionStatus.ABORTED, now
    execution.error, execution.cause = error, cause
    env.set_stop(stop_date=now, cause=cause, error=error)


class Redriven(ExecutionWorker):
    """Goes on with an execution where its history ends."""

    def __init__(self, execution: Execution, events: list[dict[str, Any]]) -> None:
        super().__init__(
            execution.exec_worker._evaluation_details,
            execution._get_start_execution_worker_comm(),
            None,
            {},
        )
        entered = [event for event in events if "stateEnteredEventDetails" in event]
        self._events = events
        self._state = entered[-1]["stateEnteredEventDetails"]
        # Before the thread has begun, the history is what it was, and that it goes on.
        self.env = self._environment()

    def _environment(self) -> Any:
        env = self._get_evaluation_environment()
        manager = env.event_manager
        manager._history_event_list.extend(self._events)
        manager._event_id_gen._next_id = len(self._events) + 1
        manager.add_event(
            context=env.event_history_context,
            event_type=HistoryEventType.ExecutionRedriven,
            event_details=EventDetails(executionRedrivenEventDetails={"redriveCount": 1}),
        )
        return env

    def _execution_logic(self) -> None:
        program: EvalComponent = self._get_evaluation_entrypoint()
        program.start_at.start_at_name = self._state["name"]
        # The program begins with the execution's input, the state with its own.
        self.env.states.context_object.context_object_data["Execution"]["Input"] = (
            self._evaluation_details.execution_details.inpt
        )
        self.env.states.reset(json.loads(self._state["input"]))
        program.eval(self.env)
        self._execution_communication.terminated()


def _redrive(execution: Execution) -> None:
    events = execution.to_history_output()["events"]
    execution.exec_status, execution.stop_date = ExecutionStatus.RUNNING, None
    execution.error = execution.cause = None
    execution.exec_worker = Redriven(execution, events)
    execution.exec_worker.start()


class Calls:
    """An application that counts Step Functions' calls on the way to another one.

    `GET /_calls` is the list of their names; `POST /_deny` with `{"action": "StartExecution"}`
    refuses all calls of that name from then on, with an action of `null` none.
    """

    def __init__(self, application: Callable[[Any, Any], Iterable[bytes]]) -> None:
        self._application = application
        self._calls: list[str] = []
        self._denied: str | None = None

    def __call__(self, environment: dict[str, Any], start: Any) -> Iterable[bytes]:
        target = environment.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith("AWSStepFunctions."):
            action = target.partition(".")[2]
            self._calls.append(action)
            if action == self._denied:
                message = f"User is not authorized to perform: states:{action}"
                refusal = {"__type": "AccessDeniedException", "message": message}
                return _answer(start, "400 Bad Request", refusal)
        elif environment["PATH_INFO"] == "/_calls":
            return _answer(start, "200 OK", self._calls)
        elif environment["PATH_INFO"] == "/_deny":
            length = int(environment.get("CONTENT_LENGTH") or 0)
            asked = json.loads(environment["wsgi.input"].read(length))
            self._denied = asked["action"]
            return _answer(start, "200 OK", asked)
        return self._application(environment, start)


def _answer(start: Any, status: str, document: Any) -> list[bytes]:
    body = json.dumps(document).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
