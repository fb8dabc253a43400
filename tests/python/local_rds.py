"""What the stories of other people's clients share: how to reach local RDS, and patience.

The stories run as `python -m unittest clients_boto3`, with TRAPHEUS_ENDPOINT_URL naming the server.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import boto3
import pg8000.native

import service_model

ENDPOINT_URL = os.environ["TRAPHEUS_ENDPOINT_URL"]
REGION = "us-east-1"
PASSWORD = "not-a-secret"

# The least that CreateDBInstance takes; each story adds what it is about.
INSTANCE = {
    "AllocatedStorage": 20,
    "DBInstanceClass": "db.t3.micro",
    "Engine": "postgres",
    "MasterUserPassword": PASSWORD,
    "MasterUsername": "master",
}

# botocore's waiters ask every 30 seconds unless told otherwise.
OFTEN = {"Delay": 1, "MaxAttempts": 120}


def client() -> Any:
    """boto3's client of RDS, as anybody would make it, only stricter with the answers."""
    made = boto3.client(
        "rds",
        endpoint_url=ENDPOINT_URL,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    service_model.watch(made)
    return made


def connect(endpoint: dict[str, Any]) -> pg8000.native.Connection:
    """Logs in to the database at an endpoint, as the master user."""
    return pg8000.native.Connection(
        INSTANCE["MasterUsername"],
        host=endpoint["Address"],
        port=endpoint["Port"],
        password=PASSWORD,
        database="postgres",
        timeout=60,
    )


def until(what: str, look: Callable[[], Any]) -> Any:
    """Looks until there is something to see, and returns it; gives up after two minutes."""
    for _ in range(240):
        seen = look()
        if seen:
            return seen
        time.sleep(0.5)
    raise AssertionError(f"waited in vain for {what}")


def is_settled(instance: dict[str, Any] | None, name: str) -> bool:
    """Whether the instance is available under this name, address included."""
    return (
        instance is not None
        and instance["DBInstanceIdentifier"] == name
        and instance["DBInstanceStatus"] == "available"
        and "Endpoint" in instance
    )
