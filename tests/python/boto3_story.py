"""What the stories told with boto3 share: its waiters, asked often, and its exceptions."""

from __future__ import annotations

import unittest
from typing import Any

from botocore.exceptions import ClientError

import local_rds
from local_rds import INSTANCE, OFTEN


def create(rds: Any, name: str, **members: Any) -> dict[str, Any]:
    """Creates an instance and waits for it."""
    rds.create_db_instance(**INSTANCE | {"DBInstanceIdentifier": name} | members)
    return available(rds, name)


def available(rds: Any, name: str) -> dict[str, Any]:
    """Waits for the instance with boto3's waiter, and describes it."""
    waiter = rds.get_waiter("db_instance_available")
    waiter.wait(DBInstanceIdentifier=name, WaiterConfig=OFTEN)
    return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]


def take_snapshot(rds: Any, source: str, name: str) -> dict[str, Any]:
    """Takes a snapshot, waits for it with boto3's waiter, and describes it."""
    rds.create_db_snapshot(DBInstanceIdentifier=source, DBSnapshotIdentifier=name)
    waiter = rds.get_waiter("db_snapshot_completed")
    waiter.wait(DBSnapshotIdentifier=name, WaiterConfig=OFTEN)
    return rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]


def delete(rds: Any, name: str, **members: Any) -> None:
    """Deletes an instance and waits with boto3's waiter until it is gone."""
    rds.delete_db_instance(DBInstanceIdentifier=name, **members)
    waiter = rds.get_waiter("db_instance_deleted")
    waiter.wait(DBInstanceIdentifier=name, WaiterConfig=OFTEN)


class Story(unittest.TestCase):
    """What every story needs."""

    def setUp(self) -> None:
        self.rds = local_rds.client()

    def refused(self, exception: str, operation: str, **members: Any) -> None:
        """The operation raises the exception that botocore has for the model's error code."""
        with self.assertRaises(getattr(self.rds.exceptions, exception)):
            getattr(self.rds, operation)(**members)

    def code_is(self, code: str, operation: str, **members: Any) -> None:
        """The operation is refused with this code, for which botocore has no exception."""
        with self.assertRaises(ClientError) as caught:
            getattr(self.rds, operation)(**members)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
