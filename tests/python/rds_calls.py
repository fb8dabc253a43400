"""Makes calls with boto3 for whoever can't, and gives back what came of them.

`python rds_calls.py ENDPOINT_URL` reads a JSON list of `[operation, parameters]` and prints the
list of the answers. A refused call is answered by `{"error": code}`, and the others still made.
An operation of another service than RDS is written with it: `sns:create_topic`. A third member,
`{"account": …, "region": …}`, makes the call elsewhere, by an assumed role.
"""

from __future__ import annotations

import functools
import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError


def call(
    operation: str, parameters: dict[str, Any], at: dict[str, str] | None = None
) -> dict[str, Any]:
    """Makes one call; the answer is without what the transport adds."""
    service, _, name = operation.rpartition(":")
    try:
        to = client(service or "rds", **(at or {}))
        answer = getattr(to, name)(**parameters)
    except ClientError as refusal:
        return {"error": refusal.response["Error"]["Code"]}
    del answer["ResponseMetadata"]
    return answer


@functools.cache
def client(service: str, account: str | None = None, region: str = "us-east-1") -> Any:
    """A client of one service, in an account and a Region."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    if account is not None:
        role = f"arn:aws:iam::{account}:role/tester"
        assumed = client("sts").assume_role(RoleArn=role, RoleSessionName="tester")
        keys = {
            "aws_access_key_id": assumed["Credentials"]["AccessKeyId"],
            "aws_secret_access_key": assumed["Credentials"]["SecretAccessKey"],
            "aws_session_token": assumed["Credentials"]["SessionToken"],
        }
    return boto3.client(service, endpoint_url=sys.argv[1], region_name=region, **keys)


def main() -> None:
    """Makes the calls of standard input, one after the other."""
    answers = [call(*each) for each in json.load(sys.stdin)]
    json.dump(answers, sys.stdout, default=str)


if __name__ == "__main__":
    main()
