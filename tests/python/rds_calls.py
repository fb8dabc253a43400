"""Makes calls with boto3 for whoever can't, and gives back what came of them.

`python rds_calls.py ENDPOINT_URL` reads a JSON list of `[operation, parameters]` and prints the
list of the answers. A refused call is answered by `{"error": code}`, and the others still made.
An operation of another service than RDS is written with it: `sns:create_topic`.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError


def call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Makes one call; the answer is without what the transport adds."""
    service, _, name = operation.rpartition(":")
    try:
        answer = getattr(client(service or "rds"), name)(**parameters)
    except ClientError as refusal:
        return {"error": refusal.response["Error"]["Code"]}
    del answer["ResponseMetadata"]
    return answer


@functools.cache
def client(service: str) -> Any:
    """A client of one service."""
    return boto3.client(
        service,
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def main() -> None:
    """Makes the calls of standard input, one after the other."""
    answers = [call(*each) for each in json.load(sys.stdin)]
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
