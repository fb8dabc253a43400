"""The corrected moto behaves as the service model says, seen through boto3.

Run with `python -m unittest` from this directory; `cargo xtask test` does.
"""

from __future__ import annotations

import json
import socket
import struct
import unittest
import urllib.request
from typing import Any

import boto3
from botocore.exceptions import ClientError

import moto_rds

LOOKS = 1
SERVER = moto_rds.start(LOOKS)
CREDENTIALS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "test",
    "aws_secret_access_key": "test",
}
NON_DEFAULT = {
    "BackupRetentionPeriod": 7,
    "CopyTagsToSnapshot": True,
    "DBInstanceClass": "db.m5.large",
    "DeletionProtection": True,
    "EnableCloudwatchLogsExports": ["postgresql"],
    "EnableIAMDatabaseAuthentication": True,
    "EnablePerformanceInsights": True,
    "MultiAZ": True,
    "PreferredMaintenanceWindow": "mon:01:00-mon:01:30",
    "PubliclyAccessible": True,
    "StorageType": "gp2",
    "Tags": [{"Key": "team", "Value": "payments"}],
}


class CorrectedMoto(unittest.TestCase):
    """Each test has databases of its own on one server."""

    def setUp(self) -> None:
        self.rds = boto3.client("rds", endpoint_url=SERVER["endpointUrl"], **CREDENTIALS)
        self.name = self.id().rsplit(".", 1)[1].replace("_", "-")

    def create(self, name: str, **members: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "DBInstanceIdentifier": name,
            "DBInstanceClass": "db.t3.micro",
            "Engine": "postgres",
            "EngineVersion": "15.4",
            "AllocatedStorage": 20,
            "MasterUsername": "master",
            "MasterUserPassword": "not-a-secret",
            "Port": SERVER["databasePort"],
        }
        self.rds.create_db_instance(**(request | members))
        return self.settled(name)

    def settled(self, name: str) -> dict[str, Any]:
        """Looks until the instance is available, as often as that takes here."""
        for _ in range(LOOKS + 1):
            instance = self.instance(name)
        self.assertEqual(instance["DBInstanceStatus"], "available")
        return instance

    def instance(self, name: str) -> dict[str, Any]:
        return self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]

    def snapshot(self, source: str) -> str:
        name = f"{source}-snapshot"
        self.rds.create_db_snapshot(DBInstanceIdentifier=source, DBSnapshotIdentifier=name)
        for _ in range(LOOKS + 1):
            seen = self.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
        self.assertEqual(seen["Status"], "available")
        return name

    def refused(self, code: str, operation: str, **members: Any) -> None:
        with self.assertRaises(ClientError) as caught:
            getattr(self.rds, operation)(**members)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_a_resource_id_is_unique_and_outlives_a_rename(self) -> None:
        name = self.name[:40]
        first, second = self.create(f"{name}-a"), self.create(f"{name}-b")
        self.assertNotEqual(first["DbiResourceId"], second["DbiResourceId"])
        self.rds.modify_db_instance(
            DBInstanceIdentifier=f"{name}-a",
            NewDBInstanceIdentifier=f"{name}-C",
            ApplyImmediately=True,
        )
        by_resource = {"Name": "dbi-resource-id", "Values": [first["DbiResourceId"]]}
        found = self.rds.describe_db_instances(Filters=[by_resource])["DBInstances"]
        self.assertEqual([each["DBInstanceIdentifier"] for each in found], [f"{name}-c"])
        self.assertEqual(found[0]["DBInstanceStatus"], "renaming")
        renamed = self.settled(f"{name}-c")
        self.assertNotEqual(renamed["Endpoint"]["Address"], first["Endpoint"]["Address"])
        self.refused(
            "DBInstanceNotFound", "describe_db_instances", DBInstanceIdentifier=f"{name}-a"
        )
        gone = {"Name": "dbi-resource-id", "Values": ["db-UNKNOWN"]}
        self.assertEqual(self.rds.describe_db_instances(Filters=[gone])["DBInstances"], [])

    def test_case_matters_in_filters_only(self) -> None:
        self.create(self.name)
        self.assertEqual(self.instance(self.name.upper())["DBInstanceIdentifier"], self.name)
        shouted = {"Name": "db-instance-id", "Values": [self.name.upper()]}
        self.assertEqual(self.rds.describe_db_instances(Filters=[shouted])["DBInstances"], [])

    def test_a_taken_name_is_refused(self) -> None:
        self.create(f"{self.name}-a")
        second = self.create(f"{self.name}-b")
        self.refused(
            "DBInstanceAlreadyExists",
            "modify_db_instance",
            DBInstanceIdentifier=f"{self.name}-a",
            NewDBInstanceIdentifier=f"{self.name}-b",
            ApplyImmediately=True,
        )
        self.assertEqual(
            self.instance(f"{self.name}-b")["DbiResourceId"], second["DbiResourceId"]
        )

    def test_a_rename_waits_without_apply_immediately(self) -> None:
        self.create(self.name)
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name, NewDBInstanceIdentifier=f"{self.name}-b"
        )
        waiting = self.settled(self.name)
        self.assertEqual(
            waiting["PendingModifiedValues"], {"DBInstanceIdentifier": f"{self.name}-b"}
        )

    def test_a_restore_has_defaults_where_the_request_is_silent(self) -> None:
        original = self.create(self.name, **NON_DEFAULT)
        for member, value in NON_DEFAULT.items():
            shown = {
                "EnableCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
                "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
                "EnablePerformanceInsights": "PerformanceInsightsEnabled",
                "Tags": "TagList",
            }.get(member, member)
            self.assertEqual(original[shown], value, member)
        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=f"{self.name}-new", DBSnapshotIdentifier=self.snapshot(self.name)
        )
        restored = self.settled(f"{self.name}-new")
        for kept in ("BackupRetentionPeriod", "DBInstanceClass", "Endpoint.Port", "TagList"):
            first, *rest = kept.split(".")
            expected, found = original[first], restored[first]
            self.assertEqual(
                (found[rest[0]], kept) if rest else (found, kept),
                (expected[rest[0]], kept) if rest else (expected, kept),
            )
        self.assertEqual(restored["StorageType"], "gp3")
        self.assertEqual(restored["EnabledCloudwatchLogsExports"], [])
        self.assertNotEqual(
            restored["PreferredMaintenanceWindow"], original["PreferredMaintenanceWindow"]
        )
        off = ("CopyTagsToSnapshot", "DeletionProtection", "IAMDatabaseAuthenticationEnabled")
        for default in (*off, "MultiAZ"):
            self.assertFalse(restored[default], default)

    def test_a_restore_takes_false_and_zero(self) -> None:
        self.create(self.name, BackupRetentionPeriod=7)
        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=f"{self.name}-new",
            DBSnapshotIdentifier=self.snapshot(self.name),
            BackupRetentionPeriod=0,
            PubliclyAccessible=False,
        )
        restored = self.settled(f"{self.name}-new")
        self.assertEqual(restored["BackupRetentionPeriod"], 0)
        self.assertIs(restored["PubliclyAccessible"], False)
        automated = self.rds.describe_db_snapshots(
            DBInstanceIdentifier=f"{self.name}-new", SnapshotType="automated"
        )
        self.assertEqual(automated["DBSnapshots"], [])

    def test_default_groups_exist_and_may_be_named(self) -> None:
        original = self.create(self.name)
        option_group = original["OptionGroupMemberships"][0]["OptionGroupName"]
        self.assertEqual(option_group, "default:postgres-15")
        self.rds.describe_option_groups(OptionGroupName=option_group)
        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=f"{self.name}-new",
            DBSnapshotIdentifier=self.snapshot(self.name),
            OptionGroupName=option_group,
            DBParameterGroupName="default.postgres15",
        )
        self.refused(
            "DBParameterGroupNotFound",
            "describe_db_parameter_groups",
            DBParameterGroupName="unknown",
        )

    def test_statuses_are_seen_and_respected(self) -> None:
        self.create(self.name)
        self.rds.reboot_db_instance(DBInstanceIdentifier=self.name)
        for operation, members in (
            ("reboot_db_instance", {}),
            ("modify_db_instance", {"MultiAZ": True}),
            ("create_db_snapshot", {"DBSnapshotIdentifier": f"{self.name}-early"}),
        ):
            members["DBInstanceIdentifier"] = self.name
            self.refused("InvalidDBInstanceState", operation, **members)
        self.settled(self.name)
        early = f"{self.name}-early"
        self.rds.create_db_snapshot(DBInstanceIdentifier=self.name, DBSnapshotIdentifier=early)
        self.refused(
            "InvalidDBSnapshotState",
            "restore_db_instance_from_db_snapshot",
            DBInstanceIdentifier=f"{self.name}-new",
            DBSnapshotIdentifier=early,
        )
        self.refused("InvalidDBSnapshotState", "delete_db_snapshot", DBSnapshotIdentifier=early)

    def test_a_port_is_changed_by_its_other_name(self) -> None:
        self.create(self.name)
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name, DBPortNumber=6543, ApplyImmediately=True
        )
        self.assertEqual(self.settled(self.name)["Endpoint"]["Port"], 6543)

    def test_deleting_is_decided_seen_and_takes_its_own_backups(self) -> None:
        self.create(self.name)
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name,
            NewDBInstanceIdentifier=f"{self.name}-temp",
            ApplyImmediately=True,
        )
        self.settled(f"{self.name}-temp")
        self.refused(
            "InvalidParameterCombination",
            "delete_db_instance",
            DBInstanceIdentifier=f"{self.name}-temp",
        )
        self.rds.delete_db_instance(
            DBInstanceIdentifier=f"{self.name}-temp", SkipFinalSnapshot=True
        )
        self.refused(
            "InvalidDBInstanceState",
            "delete_db_instance",
            DBInstanceIdentifier=f"{self.name}-temp",
            SkipFinalSnapshot=True,
        )
        for _ in range(LOOKS):
            self.assertEqual(self.instance(f"{self.name}-temp")["DBInstanceStatus"], "deleting")
        self.refused(
            "DBInstanceNotFound", "describe_db_instances", DBInstanceIdentifier=f"{self.name}-temp"
        )
        left = self.rds.describe_db_snapshots(DBInstanceIdentifier=self.name)["DBSnapshots"]
        self.assertEqual(left, [])

    def test_instances_and_snapshots_come_in_pages(self) -> None:
        names = [f"{self.name[:40]}-{number}" for number in range(21)]
        for name in names:
            self.create(name)
        for kind in ("instances", "snapshots"):
            pages = self.rds.get_paginator(f"describe_db_{kind}").paginate(
                Filters=[{"Name": "db-instance-id", "Values": names}],
                PaginationConfig={"PageSize": 20},
            )
            lengths = [len(page[f"DB{kind.title()}"]) for page in pages]
            self.assertEqual(lengths, [20, 1], kind)

    def test_the_endpoint_speaks_postgresql(self) -> None:
        endpoint = self.create(self.name)["Endpoint"]
        with socket.create_connection((endpoint["Address"], endpoint["Port"]), 10) as client:
            client.sendall(struct.pack("!II", 8, 80877103))
            self.assertEqual(client.recv(1), b"N")
            startup = struct.pack("!I", 3 << 16) + b"user\0master\0\0"
            client.sendall(struct.pack("!I", len(startup) + 4) + startup)
            self.assertEqual(client.recv(1), b"R")

    def test_requests_are_written_down(self) -> None:
        def requests() -> list[str]:
            with urllib.request.urlopen(f"{SERVER['endpointUrl']}/_requests") as answer:
                return json.load(answer)

        before = len(requests())
        self.rds.describe_db_clusters()
        self.assertEqual(requests()[before:], ["DescribeDBClusters"])


if __name__ == "__main__":
    unittest.main()
