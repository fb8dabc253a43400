"""Makes calls with boto3 for whoever can't, and gives back what came of them.

`python rds_calls.py ENDPOINT_URL` reads a JSON list of `[operation, parameters]` and prints the
list of the answers. A refused call is answered by `{"error": code}`, and the others still made.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError


def call(rds: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Makes one call; the answer is without what the transport adds."""
    try:
        answer = getattr(rds, operation)(**parameters)
    except ClientError as refusal:
        return {"error": refusal.response["Error"]["Code"]}
    del answer["ResponseMetadata"]
    return answer


def main() -> None:
    """Makes the calls of standard input, one after the other."""
    rds = boto3.client(
        "rds",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    answers = [call(rds, *each) for each in json.load(sys.stdin)]
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
