"""A Lambda function in Python that makes the calls of a plan for a database that there is not.

`bench_lambda.py` measures it against our bootstrap. It is as lean as a function with boto3 can be:
one import, one client, made before the first event is asked for, as Lambda's documentation advises.
"""

from __future__ import annotations

import http.client
import json
import os

import boto3
from botocore.exceptions import ClientError

rds = boto3.client("rds")
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

while True:
    runtime.request("GET", "/2018-06-01/runtime/invocation/next")
    event = runtime.getresponse()
    name = json.load(event)["input"]["identifier"]
    calls: dict[str, int] = {}
    for operation, call, arguments in 2 * (
        ("DescribeDBInstances", rds.describe_db_instances, {"DBInstanceIdentifier": name}),
        ("DescribeDBClusters", rds.describe_db_clusters, {"DBClusterIdentifier": name}),
    ):
        try:
            calls[operation] = calls.get(operation, 0) + 1
            call(**arguments)
        except ClientError:
            pass
    answer = json.dumps({"calls": calls})
    request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    runtime.request("POST", f"/2018-06-01/runtime/invocation/{request}/response", answer)
    runtime.getresponse().read()
