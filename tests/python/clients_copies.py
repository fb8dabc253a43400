"""boto3, unchanged, with what follows a database and what it can be taken back to: read replicas and
restores to a point in time, with the rows behind them."""

from __future__ import annotations

import datetime
import time
import unittest
from typing import Any

from pg8000.exceptions import DatabaseError

from boto3_story import Story, available, create, delete
from local_rds import OFTEN, connect, until


def add(instance: dict[str, Any], *items: int) -> None:
    """Commits items, one after the other."""
    with connect(instance["Endpoint"]) as database:
        database.run("CREATE TABLE IF NOT EXISTS items (item int PRIMARY KEY)")
        for item in items:
            database.run("INSERT INTO items VALUES (:item)", item=item)


def items(instance: dict[str, Any]) -> list[int]:
    """All items."""
    with connect(instance["Endpoint"]) as database:
        return [row[0] for row in database.run("SELECT item FROM items ORDER BY item")]


class Replicas(Story):
    """A read replica from its creation to its independence."""

    def test_a_replica_follows_its_source_until_it_is_promoted(self) -> None:
        source = create(self.rds, "followed", BackupRetentionPeriod=1)
        add(source, 1)
        one = self.replicate("one")
        two = self.replicate("two")
        add(source, 2)
        for replica in (one, two):
            until("the rows of the source", lambda replica=replica: items(replica) == [1, 2])
            with self.assertRaisesRegex(DatabaseError, "read-only transaction"):
                add(replica, 100)
        status = one["StatusInfos"][0]
        self.assertEqual((status["StatusType"], status["Status"]), ("read replication", "replicating"))
        self.assertEqual(one["ReadReplicaSourceDBInstanceIdentifier"], "followed")
        source = available(self.rds, "followed")
        self.assertEqual(source["ReadReplicaDBInstanceIdentifiers"], ["one", "two"])
        self.refused("InvalidDBInstanceStateFault", "stop_db_instance", DBInstanceIdentifier="one")

        self.rds.promote_read_replica(DBInstanceIdentifier="one")
        promoted = until("the promotion", lambda: self.stand_alone("one"))
        add(promoted, 10)
        add(source, 3)
        until("the row of the source", lambda: items(two) == [1, 2, 3])
        self.assertEqual(items(promoted), [1, 2, 10])
        delete(self.rds, "followed", SkipFinalSnapshot=True)
        released = until("the release", lambda: self.stand_alone("two"))
        add(released, 20)
        self.assertEqual(items(released), [1, 2, 3, 20])

    def replicate(self, name: str) -> dict[str, Any]:
        self.rds.create_db_instance_read_replica(
            DBInstanceIdentifier=name, SourceDBInstanceIdentifier="followed"
        )
        return available(self.rds, name)

    def stand_alone(self, name: str) -> dict[str, Any] | None:
        shown = available(self.rds, name)
        return None if "ReadReplicaSourceDBInstanceIdentifier" in shown else shown


class PointInTime(Story):
    """A database that is taken back to an instant, while it is there and when it is gone."""

    def test_an_instant_between_two_commits_has_exactly_the_first(self) -> None:
        source = create(self.rds, "orders", BackupRetentionPeriod=1)
        self.refused(
            "InvalidRestoreFault", "restore_db_instance_to_point_in_time", **self.to("early")
        )
        until("the first backup", self.latest)
        add(source, 1)
        time.sleep(0.1)
        between = datetime.datetime.now(datetime.UTC)
        time.sleep(0.1)
        add(source, 2)

        target = {"TargetDBInstanceIdentifier": "then", "RestoreTime": between}
        self.rds.restore_db_instance_to_point_in_time(
            SourceDBInstanceIdentifier="orders", **target
        )
        self.assertEqual(items(available(self.rds, "then")), [1])
        self.rds.restore_db_instance_to_point_in_time(**self.to("now"))
        self.assertEqual(items(available(self.rds, "now")), [1, 2])

        add(source, 3)
        delete(self.rds, "orders", SkipFinalSnapshot=True, DeleteAutomatedBackups=False)
        found = self.rds.describe_db_instance_automated_backups(
            Filters=[{"Name": "status", "Values": ["retained"]}]
        )
        retained = found["DBInstanceAutomatedBackups"][0]
        self.assertEqual(retained["DbiResourceId"], source["DbiResourceId"])
        self.rds.restore_db_instance_to_point_in_time(
            SourceDbiResourceId=retained["DbiResourceId"],
            TargetDBInstanceIdentifier="orders",
            RestoreTime=retained["RestoreWindow"]["LatestTime"],
        )
        self.assertEqual(items(available(self.rds, "orders")), [1, 2, 3])

    def test_a_cluster_is_taken_back_with_its_volume(self) -> None:
        engine = {"Engine": "aurora-postgresql"}
        self.rds.create_db_cluster(
            DBClusterIdentifier="shop",
            MasterUsername="master",
            MasterUserPassword="not-a-secret",
            **engine,
        )
        writer = self.member("shop", "shop-1", engine)
        self.member("shop", "shop-2", engine)
        until("the first backup", lambda: "LatestRestorableTime" in self.cluster("shop"))
        add(writer, 1)
        self.rds.failover_db_cluster(
            DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-2"
        )
        until("the fail-over", lambda: self.writer("shop") == "shop-2")
        add(available(self.rds, "shop-2"), 2)
        time.sleep(0.1)
        then = datetime.datetime.now(datetime.UTC)
        time.sleep(0.1)
        add(available(self.rds, "shop-2"), 3)
        self.rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="then", SourceDBClusterIdentifier="shop", RestoreToTime=then
        )
        self.assertEqual(items(self.member("then", "then-1", engine)), [1, 2])

    def to(self, target: str) -> dict[str, Any]:
        return {
            "SourceDBInstanceIdentifier": "orders",
            "TargetDBInstanceIdentifier": target,
            "UseLatestRestorableTime": True,
        }

    def latest(self) -> datetime.datetime | None:
        return available(self.rds, "orders").get("LatestRestorableTime")

    def cluster(self, name: str) -> dict[str, Any]:
        waiter = self.rds.get_waiter("db_cluster_available")
        waiter.wait(DBClusterIdentifier=name, WaiterConfig=OFTEN)
        return self.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]

    def writer(self, name: str) -> str | None:
        members = self.cluster(name)["DBClusterMembers"]
        writers = [one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"]]
        return writers[0] if writers else None

    def member(self, cluster: str, name: str, engine: dict[str, str]) -> dict[str, Any]:
        self.cluster(cluster)
        self.rds.create_db_instance(
            DBClusterIdentifier=cluster,
            DBInstanceIdentifier=name,
            DBInstanceClass="db.r6g.large",
            **engine,
        )
        return available(self.rds, name)


if __name__ == "__main__":
    unittest.main()
