"""The AWS CLI, unchanged, puts a database of local RDS back behind its name.

Its waiters ask every 30 seconds and can't be told otherwise. So the story looks by itself first,
and then has the waiter confirm what it saw: a waiter that disagrees would be heard 30 seconds
later, and fail after half an hour.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import local_rds
from local_rds import INSTANCE, PASSWORD, connect, until

AWS = Path(sys.executable).parent / "aws"


class Cli(unittest.TestCase):
    """One story: the commands that a person would type."""

    def aws(self, *arguments: str, may_fail: bool = False) -> tuple[Any, str]:
        """Runs `aws rds ...`; returns the answer and what went to standard error."""
        environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_DEFAULT_REGION": local_rds.REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": os.environ["PATH"],
        }
        command = [AWS, "rds", *arguments, "--endpoint-url", local_rds.ENDPOINT_URL]
        done = subprocess.run(
            [*command, "--output", "json"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if not may_fail:
            self.assertEqual(done.returncode, 0, f"{arguments}: {done.stderr}")
        return (json.loads(done.stdout) if done.stdout else None), done.stderr

    def instance(self, name: str) -> dict[str, Any] | None:
        found, error = self.aws(
            "describe-db-instances", "--db-instance-identifier", name, may_fail=True
        )
        if found is None:
            self.assertIn("(DBInstanceNotFound)", error)
            return None
        return found["DBInstances"][0]

    def available(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            seen = self.instance(name)
            return seen if local_rds.is_settled(seen, name) else None

        seen = until(f"{name} to be available", look)
        self.aws("wait", "db-instance-available", "--db-instance-identifier", name)
        return seen

    def deleted(self, name: str) -> None:
        until(f"{name} to be gone", lambda: self.instance(name) is None)
        self.aws("wait", "db-instance-deleted", "--db-instance-identifier", name)

    def snapshot_available(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found, _ = self.aws("describe-db-snapshots", "--db-snapshot-identifier", name)
            seen = found["DBSnapshots"][0]
            return seen if seen["Status"] == "available" else None

        seen = until(f"{name} to be available", look)
        self.aws("wait", "db-snapshot-completed", "--db-snapshot-identifier", name)
        return seen

    def rename(self, name: str, new_name: str) -> dict[str, Any]:
        self.aws(
            "modify-db-instance",
            *("--db-instance-identifier", name),
            *("--new-db-instance-identifier", new_name),
            "--apply-immediately",
        )
        return self.available(new_name)

    def test_a_database_is_put_back_behind_its_name(self) -> None:
        self.aws(
            "create-db-instance",
            *("--db-instance-identifier", "orders"),
            *("--db-instance-class", "db.t3.micro"),
            *("--engine", "postgres"),
            *("--allocated-storage", "20"),
            *("--master-username", str(INSTANCE["MasterUsername"])),
            *("--master-user-password", PASSWORD),
            *("--tags", "Key=team,Value=payments"),
        )
        original = self.available("orders")
        with connect(original["Endpoint"]) as database:
            database.run("CREATE TABLE notes AS SELECT 'before' AS note")
        self.aws(
            "create-db-snapshot",
            *("--db-instance-identifier", "orders"),
            *("--db-snapshot-identifier", "orders-before"),
        )
        taken = self.snapshot_available("orders-before")
        self.assertEqual(taken["DBInstanceIdentifier"], "orders")
        with connect(original["Endpoint"]) as database:
            database.run("UPDATE notes SET note = 'after'")

        self.aws(
            "restore-db-instance-from-db-snapshot",
            *("--db-instance-identifier", "orders-new"),
            *("--db-snapshot-identifier", "orders-before"),
            "--no-multi-az",
        )
        self.available("orders-new")
        self.rename("orders", "orders-temp")
        self.assertIsNone(self.instance("orders"))
        promoted = self.rename("orders-new", "orders")
        self.assertEqual(promoted["Endpoint"], original["Endpoint"])
        with connect(promoted["Endpoint"]) as database:
            self.assertEqual(database.run("SELECT note FROM notes"), [["before"]])

        self.aws("reboot-db-instance", "--db-instance-identifier", "orders")
        self.available("orders")
        self.tag(promoted["DBInstanceArn"])
        self.filter(original["DbiResourceId"])
        self.tidy_up()

    def tag(self, arn: str) -> None:
        self.aws("add-tags-to-resource", "--resource-name", arn, "--tags", "Key=stage,Value=test")
        listed, _ = self.aws("list-tags-for-resource", "--resource-name", arn)
        self.assertIn({"Key": "stage", "Value": "test"}, listed["TagList"])
        self.aws("remove-tags-from-resource", "--resource-name", arn, "--tag-keys", "stage")
        listed, _ = self.aws("list-tags-for-resource", "--resource-name", arn)
        self.assertNotIn("stage", [tag["Key"] for tag in listed["TagList"]])

    def filter(self, resource: str) -> None:
        found, _ = self.aws(
            "describe-db-instances", "--filters", f"Name=dbi-resource-id,Values={resource}"
        )
        names = [each["DBInstanceIdentifier"] for each in found["DBInstances"]]
        self.assertEqual(names, ["orders-temp"])
        # The CLI follows the markers by itself.
        found, _ = self.aws("describe-db-instances", "--page-size", "20")
        self.assertEqual(len(found["DBInstances"]), 2)

    def tidy_up(self) -> None:
        self.aws(
            "delete-db-instance",
            *("--db-instance-identifier", "orders-temp"),
            "--skip-final-snapshot",
        )
        self.deleted("orders-temp")
        self.aws(
            "delete-db-instance",
            *("--db-instance-identifier", "orders"),
            *("--final-db-snapshot-identifier", "orders-final"),
        )
        self.deleted("orders")
        self.snapshot_available("orders-final")
        for snapshot in ("orders-before", "orders-final"):
            self.aws("delete-db-snapshot", "--db-snapshot-identifier", snapshot)
        left, _ = self.aws("describe-db-snapshots", "--snapshot-type", "manual")
        self.assertEqual(left["DBSnapshots"], [])


if __name__ == "__main__":
    unittest.main()
