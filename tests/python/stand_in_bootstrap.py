"""A function's process that speaks the Lambda Runtime API and knows nothing of restores.

It stands in for our `bootstrap` where `step_functions.py` itself is tested. What its function does
is in the environment as JSON, by the execution (`*`: any) and the function: a list of answers, one a
call, of which the last is given for ever. `{"error": [type, message]}` is a failure, `{"exit": 1}` ends the
process, `{"sleep": 2}` takes that long, everything else is a result.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time

runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
script = json.loads(os.environ["ANSWERS"])
function = os.environ["_HANDLER"]

while True:
    runtime.request("GET", "/2018-06-01/runtime/invocation/next")
    event = runtime.getresponse()
    answers = script.get(json.load(event)["execution"], script.get("*", {})).get(function, [{}])
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    if "exit" in answer:
        sys.exit(answer["exit"])
    time.sleep(answer.get("sleep", 0))
    kind = "response"
    if "error" in answer:
        kind, (name, message) = "error", answer["error"]
        answer = {"errorType": name, "errorMessage": message, "stackTrace": []}
    request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    runtime.request("POST", f"/2018-06-01/runtime/invocation/{request}/{kind}", json.dumps(answer))
    runtime.getresponse().read()
