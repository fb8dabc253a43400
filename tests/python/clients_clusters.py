"""boto3, unchanged, lives through the life of an Aurora cluster on local RDS: its waiters, its exceptions, every
endpoint, and the rows behind them; each answer is held against the service model."""

from __future__ import annotations

import unittest
from typing import Any

import local_rds
from boto3_story import Story, available, delete
from local_rds import INSTANCE, OFTEN, connect, until

ENGINE = {"Engine": "aurora-postgresql"}
CLUSTER = ENGINE | {
    "MasterUsername": INSTANCE["MasterUsername"],
    "MasterUserPassword": local_rds.PASSWORD,
}


class Clusters(Story):
    """A cluster from its creation to its final snapshot, put back by hand in between."""

    def test_a_cluster_is_put_back_behind_its_name(self) -> None:
        self.rds.create_db_cluster(
            DBClusterIdentifier="shop",
            BackupRetentionPeriod=3,
            Tags=[{"Key": "team", "Value": "payments"}],
            **CLUSTER,
        )
        self.available("shop")
        self.member("shop", "shop-1")
        self.member("shop", "shop-2", PromotionTier=0)
        original = self.available("shop")
        self.assertEqual(self.writer(original), "shop-1")
        self.endpoints_are(original)
        with self.connect(original, "Endpoint") as database:
            database.run("CREATE TABLE items AS SELECT generate_series(1, 1000) AS item")
        until("the reader to have the rows", lambda: self.rows(original, "ReaderEndpoint") == 1000)
        with self.connect(original, "ReaderEndpoint") as database:
            with self.assertRaises(local_rds.pg8000.native.DatabaseError):
                database.run("DELETE FROM items")

        self.rds.failover_db_cluster(
            DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-2"
        )
        self.assertEqual(self.writer(self.available("shop")), "shop-2")
        taken = self.snapshot("shop", "shop-before")
        with self.connect(original, "Endpoint") as database:
            database.run("DELETE FROM items WHERE item > 10")
        self.share_and_copy(taken)

        self.rds.restore_db_cluster_from_snapshot(
            DBClusterIdentifier="shop-new", SnapshotIdentifier="shop-before", **ENGINE
        )
        restored = self.available("shop-new")
        self.assertEqual(restored["DBClusterMembers"], [])
        self.assertEqual(restored["BackupRetentionPeriod"], 3)
        self.member("shop-new", "shop-new-1")
        aside = self.rename(original, "shop-temp")
        promoted = self.rename(restored, "shop")
        self.assertEqual(promoted["Endpoint"], original["Endpoint"])
        self.assertEqual(promoted["ReaderEndpoint"], original["ReaderEndpoint"])
        self.assertEqual(self.rows(promoted, "Endpoint"), 1000)
        self.assertEqual(self.rows(promoted, "ReaderEndpoint"), 1000)
        self.assertEqual(self.rows(aside, "Endpoint"), 10)

        self.refusals(promoted)
        for cluster, members in (("shop-temp", ["shop-1", "shop-2"]), ("shop", ["shop-new-1"])):
            for member in members:
                delete(self.rds, member)
            final = f"{cluster}-final"
            self.rds.delete_db_cluster(
                DBClusterIdentifier=cluster, FinalDBSnapshotIdentifier=final
            )
            waiter = self.rds.get_waiter("db_cluster_deleted")
            waiter.wait(DBClusterIdentifier=cluster, WaiterConfig=OFTEN)
            snapshots = self.rds.describe_db_cluster_snapshots(
                DBClusterSnapshotIdentifier=final
            )["DBClusterSnapshots"]
            self.assertEqual(snapshots[0]["Status"], "available")
        self.assertEqual(self.rds.describe_db_clusters()["DBClusters"], [])
        self.assertEqual(self.rds.describe_db_cluster_endpoints()["DBClusterEndpoints"], [])

    def endpoints_are(self, cluster: dict[str, Any]) -> None:
        """A custom endpoint comes, changes, leads somewhere and goes."""
        named = {"DBClusterEndpointIdentifier": "shop-reports"}
        self.rds.create_db_cluster_endpoint(
            DBClusterIdentifier="shop",
            EndpointType="ANY",
            StaticMembers=["shop-1"],
            Tags=[{"Key": "team", "Value": "reports"}],
            **named,
        )

        def find() -> list[dict[str, Any]]:
            found = self.rds.describe_db_cluster_endpoints(DBClusterIdentifier="shop")
            return found["DBClusterEndpoints"]

        kinds = sorted(each["EndpointType"] for each in find())
        self.assertEqual(kinds, ["CUSTOM", "READER", "WRITER"])
        changed = self.rds.modify_db_cluster_endpoint(EndpointType="READER", **named)
        self.assertEqual(changed["StaticMembers"], ["shop-1"])
        self.refused(
            "DBClusterEndpointAlreadyExistsFault",
            "create_db_cluster_endpoint",
            DBClusterIdentifier="shop",
            EndpointType="ANY",
            **named,
        )
        tags = self.rds.list_tags_for_resource(ResourceName=changed["DBClusterEndpointArn"])
        self.assertEqual(tags["TagList"], [{"Key": "team", "Value": "reports"}])
        self.assertIn(changed["Endpoint"], self.available("shop")["CustomEndpoints"])
        self.rds.delete_db_cluster_endpoint(**named)
        until("the endpoint to go", lambda: len(find()) == 2)

    def share_and_copy(self, taken: dict[str, Any]) -> None:
        """A cluster snapshot is shared, copied, filtered and deleted."""
        named = {"DBClusterSnapshotIdentifier": taken["DBClusterSnapshotIdentifier"]}
        self.rds.modify_db_cluster_snapshot_attribute(
            AttributeName="restore", ValuesToAdd=["111122223333"], **named
        )
        shared = self.rds.describe_db_cluster_snapshot_attributes(**named)
        attributes = shared["DBClusterSnapshotAttributesResult"]["DBClusterSnapshotAttributes"]
        self.assertEqual(attributes[0]["AttributeValues"], ["111122223333"])
        self.rds.copy_db_cluster_snapshot(
            SourceDBClusterSnapshotIdentifier=taken["DBClusterSnapshotIdentifier"],
            TargetDBClusterSnapshotIdentifier="shop-copy",
            CopyTags=True,
        )
        waiter = self.rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier="shop-copy", WaiterConfig=OFTEN)
        found = self.rds.describe_db_cluster_snapshots(
            Filters=[{"Name": "db-cluster-id", "Values": ["shop"]}]
        )["DBClusterSnapshots"]
        self.assertEqual(len(found), 2)
        self.rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier="shop-copy")

    def refusals(self, cluster: dict[str, Any]) -> None:
        """What is refused is refused by the model's codes."""
        named = {"DBClusterIdentifier": cluster["DBClusterIdentifier"]}
        unknown = {"DBClusterIdentifier": "unknown"}
        self.refused("DBClusterNotFoundFault", "describe_db_clusters", **unknown)
        self.refused("DBClusterNotFoundFault", "failover_db_cluster", **unknown)
        self.refused("DBClusterNotFoundFault", "start_db_cluster", **unknown)
        self.refused("DBClusterAlreadyExistsFault", "create_db_cluster", **named, **CLUSTER)
        self.refused(
            "DBClusterSnapshotNotFoundFault",
            "restore_db_cluster_from_snapshot",
            SnapshotIdentifier="unknown",
            **unknown,
            **ENGINE,
        )
        self.refused(
            "InvalidDBClusterStateFault", "delete_db_cluster", SkipFinalSnapshot=True, **named
        )
        self.rds.modify_db_cluster(DeletionProtection=True, **named)
        self.available(named["DBClusterIdentifier"])
        self.code_is(
            "InvalidParameterCombination", "delete_db_cluster", SkipFinalSnapshot=True, **named
        )
        self.rds.modify_db_cluster(DeletionProtection=False, **named)
        self.available(named["DBClusterIdentifier"])

    def available(self, name: str) -> dict[str, Any]:
        """Waits for the cluster with boto3's waiter, and describes it."""
        waiter = self.rds.get_waiter("db_cluster_available")
        waiter.wait(DBClusterIdentifier=name, WaiterConfig=OFTEN)
        return self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def member(self, cluster: str, name: str, **members: Any) -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            DBInstanceClass="db.r6g.large",
            **ENGINE,
            **members,
        )
        made = available(self.rds, name)
        self.assertEqual(made["DBClusterIdentifier"], cluster)

    def snapshot(self, source: str, name: str) -> dict[str, Any]:
        self.rds.create_db_cluster_snapshot(
            DBClusterIdentifier=source, DBClusterSnapshotIdentifier=name
        )
        waiter = self.rds.get_waiter("db_cluster_snapshot_available")
        waiter.wait(DBClusterSnapshotIdentifier=name, WaiterConfig=OFTEN)
        found = self.rds.describe_db_cluster_snapshots(DBClusterSnapshotIdentifier=name)
        return found["DBClusterSnapshots"][0]

    def rename(self, cluster: dict[str, Any], name: str) -> dict[str, Any]:
        """Renames, and follows by the resource id, which never changes."""
        self.available(cluster["DBClusterIdentifier"])
        self.rds.modify_db_cluster(
            DBClusterIdentifier=cluster["DBClusterIdentifier"],
            NewDBClusterIdentifier=name,
            ApplyImmediately=True,
        )
        by_resource = {
            "Name": "db-cluster-resource-id",
            "Values": [cluster["DbClusterResourceId"]],
        }

        def renamed() -> dict[str, Any] | None:
            found = self.rds.describe_db_clusters(Filters=[by_resource])["DBClusters"]
            is_there = found[0]["DBClusterIdentifier"] == name and "Endpoint" in found[0]
            return found[0] if is_there and found[0]["Status"] == "available" else None

        return until(f"the rename to {name}", renamed)

    def writer(self, cluster: dict[str, Any]) -> str:
        writers = [each for each in cluster["DBClusterMembers"] if each["IsClusterWriter"]]
        return writers[0]["DBInstanceIdentifier"]

    def connect(self, cluster: dict[str, Any], endpoint: str) -> Any:
        return connect({"Address": cluster[endpoint], "Port": cluster["Port"]})

    def rows(self, cluster: dict[str, Any], endpoint: str) -> int:
        with self.connect(cluster, endpoint) as database:
            return database.run("SELECT count(*) FROM items")[0][0]


if __name__ == "__main__":
    unittest.main()
