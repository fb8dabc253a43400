"""The corrected moto behaves as the service model says about clusters, seen through boto3."""

from __future__ import annotations

import unittest
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


class CorrectedMoto(unittest.TestCase):
    """Each test has clusters of its own on one server."""

    def setUp(self) -> None:
        self.rds = boto3.client("rds", endpoint_url=SERVER["endpointUrl"], **CREDENTIALS)
        self.name = self.id().rsplit(".", 1)[1].replace("_", "-")[:30].rstrip("-")

    def create(self, name: str, **members: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "DBClusterIdentifier": name,
            "Engine": "aurora-postgresql",
            "EngineVersion": "15.4",
            "MasterUsername": "master",
            "MasterUserPassword": "not-a-secret",
            "Port": SERVER["databasePort"],
        }
        self.rds.create_db_cluster(**(request | members))
        cluster = self.settled(name)
        for number in (1, 2):
            self.rds.create_db_instance(
                DBClusterIdentifier=name,
                DBInstanceIdentifier=f"{name}-{number}",
                DBInstanceClass="db.r5.large",
                Engine="aurora-postgresql",
            )
        for _ in range(LOOKS + 1):
            self.rds.describe_db_instances()
        return cluster

    def settled(self, name: str) -> dict[str, Any]:
        for _ in range(LOOKS + 1):
            cluster = self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
        self.assertEqual(cluster["Status"], "available")
        return cluster

    def snapshot(self, source: str) -> str:
        name = f"{source}-snapshot"
        self.rds.create_db_cluster_snapshot(
            DBClusterIdentifier=source, DBClusterSnapshotIdentifier=name
        )
        for _ in range(LOOKS + 1):
            answer = self.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
        seen = answer["DBClusterSnapshots"][0]
        self.assertEqual(seen["Status"], "available")
        return name

    def refused(self, code: str, operation: str, **members: Any) -> None:
        with self.assertRaises(ClientError) as caught:
            getattr(self.rds, operation)(**members)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)

    def test_members_keep_their_names_when_their_cluster_is_renamed(self) -> None:
        before = self.create(self.name)
        self.rds.modify_db_cluster(
            DBClusterIdentifier=self.name,
            NewDBClusterIdentifier=f"{self.name}-b",
            ApplyImmediately=True,
        )
        after = self.settled(f"{self.name}-b")
        self.assertEqual(after["DbClusterResourceId"], before["DbClusterResourceId"])
        self.assertNotEqual(after["Endpoint"], before["Endpoint"])
        self.assertNotEqual(after["ReaderEndpoint"], before["ReaderEndpoint"])
        members = [member["DBInstanceIdentifier"] for member in after["DBClusterMembers"]]
        self.assertEqual(members, [f"{self.name}-1", f"{self.name}-2"])
        member = self.rds.describe_db_instances(DBInstanceIdentifier=members[0])
        self.assertEqual(member["DBInstances"][0]["DBClusterIdentifier"], f"{self.name}-b")

    def test_a_taken_name_is_refused(self) -> None:
        self.create(self.name)
        self.create(f"{self.name}-b")
        self.refused(
            "DBClusterAlreadyExistsFault",
            "modify_db_cluster",
            DBClusterIdentifier=self.name,
            NewDBClusterIdentifier=f"{self.name}-b",
            ApplyImmediately=True,
        )

    def test_a_restored_cluster_has_the_defaults_and_no_members(self) -> None:
        before = self.create(
            self.name,
            DeletionProtection=True,
            CopyTagsToSnapshot=True,
            BackupRetentionPeriod=7,
            EnableCloudwatchLogsExports=["postgresql"],
        )
        snapshot = self.snapshot(self.name)
        self.rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier=f"{self.name}-b",
            SnapshotIdentifier=snapshot,
            Engine="aurora-postgresql",
        )
        after = self.settled(f"{self.name}-b")
        self.assertNotEqual(after["DbClusterResourceId"], before["DbClusterResourceId"])
        self.assertEqual(after["DBClusterMembers"], [])
        self.assertEqual(after["BackupRetentionPeriod"], 7)
        self.assertFalse(after["DeletionProtection"])
        self.assertFalse(after["CopyTagsToSnapshot"])
        self.assertEqual(after.get("EnabledCloudwatchLogsExports", []), [])

    def test_a_cluster_is_found_by_its_identity(self) -> None:
        cluster = self.create(self.name)
        self.snapshot(self.name)
        identity = cluster["DbClusterResourceId"]
        found = self.rds.describe_db_clusters(
            Filters=[{"Name": "db-cluster-resource-id", "Values": [identity]}]
        )
        self.assertEqual(found["DBClusters"][0]["DBClusterIdentifier"], self.name)
        snapshots = self.rds.describe_db_cluster_snapshots(
            DbClusterResourceId=identity, SnapshotType="manual"
        )
        self.assertEqual(len(snapshots["DBClusterSnapshots"]), 1)
        self.assertEqual(snapshots["DBClusterSnapshots"][0]["DbClusterResourceId"], identity)

    def test_members_need_an_available_cluster_and_go_first(self) -> None:
        self.create(self.name)
        decided = {"DBClusterIdentifier": self.name, "SkipFinalSnapshot": True}
        self.refused("InvalidDBClusterStateFault", "delete_db_cluster", **decided)
        for number in (1, 2):
            self.rds.delete_db_instance(
                DBInstanceIdentifier=f"{self.name}-{number}", SkipFinalSnapshot=True
            )
        for _ in range(LOOKS + 2):
            self.rds.describe_db_instances()
        self.rds.delete_db_cluster(**decided)
        self.refused(
            "InvalidDBClusterStateFault",
            "create_db_instance",
            DBClusterIdentifier=self.name,
            DBInstanceIdentifier=f"{self.name}-3",
            DBInstanceClass="db.r5.large",
            Engine="aurora-postgresql",
        )


if __name__ == "__main__":
    unittest.main()
