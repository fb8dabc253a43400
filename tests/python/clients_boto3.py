"""boto3, unchanged, lives through the life of a database on local RDS: its waiters and paginators,
its exceptions, and the rows behind it all."""

from __future__ import annotations

import unittest
from typing import Any

import local_rds
from boto3_story import Story, available, create, delete, take_snapshot
from local_rds import INSTANCE, connect, until


class Life(Story):
    """A database from its creation to its final snapshot, put back by hand in between."""

    def test_a_database_is_put_back_behind_its_name(self) -> None:
        original = create(self.rds, "orders", BackupRetentionPeriod=3)
        with connect(original["Endpoint"]) as database:
            database.run("CREATE TABLE items AS SELECT generate_series(1, 10000) AS item")
        taken = take_snapshot(self.rds, "orders", "orders-before")
        self.assertEqual(taken["DbiResourceId"], original["DbiResourceId"])
        self.assertEqual(taken["PercentProgress"], 100)
        with connect(original["Endpoint"]) as database:
            database.run("DELETE FROM items WHERE item > 10")

        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="orders-new", DBSnapshotIdentifier="orders-before"
        )
        restored = available(self.rds, "orders-new")
        self.assertNotEqual(restored["DbiResourceId"], original["DbiResourceId"])
        self.assertEqual(restored["BackupRetentionPeriod"], 3)
        aside = self.rename(original, "orders-temp")
        self.assertEqual(aside["DbiResourceId"], original["DbiResourceId"])
        self.refused(
            "DBInstanceNotFoundFault", "describe_db_instances", DBInstanceIdentifier="orders"
        )
        promoted = self.rename(restored, "orders")
        self.assertEqual(promoted["Endpoint"], original["Endpoint"])
        self.assertEqual(self.count_items(promoted), 10000)
        self.assertEqual(self.count_items(aside), 10)

        delete(self.rds, "orders-temp", SkipFinalSnapshot=True)
        self.assertEqual(self.count_items(promoted), 10000)
        delete(self.rds, "orders", FinalDBSnapshotIdentifier="orders-final")
        final = self.rds.describe_db_snapshots(DBSnapshotIdentifier="orders-final")
        self.assertEqual(final["DBSnapshots"][0]["Status"], "available")
        self.assertEqual(self.rds.describe_db_instances()["DBInstances"], [])

    def rename(self, instance: dict[str, Any], name: str) -> dict[str, Any]:
        """Renames, and follows by the resource id, which never changes."""
        self.rds.modify_db_instance(
            DBInstanceIdentifier=instance["DBInstanceIdentifier"],
            NewDBInstanceIdentifier=name,
            ApplyImmediately=True,
        )
        by_resource = {"Name": "dbi-resource-id", "Values": [instance["DbiResourceId"]]}

        def renamed() -> dict[str, Any] | None:
            found = self.rds.describe_db_instances(Filters=[by_resource])["DBInstances"]
            return found[0] if found and local_rds.is_settled(found[0], name) else None

        return until(f"the rename to {name}", renamed)

    def count_items(self, instance: dict[str, Any]) -> int:
        with connect(instance["Endpoint"]) as database:
            return database.run("SELECT count(*) FROM items")[0][0]


class Details(Story):
    """What the restore of a name is made of, one by one, on one database."""

    name = "details"

    @classmethod
    def setUpClass(cls) -> None:
        rds = local_rds.client()
        create(rds, cls.name, Tags=[{"Key": "team", "Value": "payments"}])
        cls.addClassCleanup(delete, rds, cls.name, SkipFinalSnapshot=True)

    def instance(self) -> dict[str, Any]:
        return self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]

    def test_a_reboot_restarts_the_server(self) -> None:
        def started() -> Any:
            with connect(self.instance()["Endpoint"]) as database:
                return database.run("SELECT pg_postmaster_start_time()")[0][0]

        before = started()
        self.rds.reboot_db_instance(DBInstanceIdentifier=self.name)
        available(self.rds, self.name)
        self.assertGreater(started(), before)

    def test_parameters_reach_the_server(self) -> None:
        engine = self.instance()["EngineVersion"].split(".")[0]
        group = {"DBParameterGroupName": "details-parameters"}
        self.rds.create_db_parameter_group(
            **group, DBParameterGroupFamily=f"postgres{engine}", Description="for a story"
        )
        parameters = [
            ("work_mem", "8192", "immediate"),
            ("max_connections", "77", "pending-reboot"),
        ]
        self.rds.modify_db_parameter_group(
            **group,
            Parameters=[
                {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
                for name, value, method in parameters
            ],
        )
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name, **group, ApplyImmediately=True
        )
        available(self.rds, self.name)
        statuses = self.instance()["DBParameterGroups"]
        self.assertEqual(statuses, [group | {"ParameterApplyStatus": "pending-reboot"}])
        self.rds.reboot_db_instance(DBInstanceIdentifier=self.name)
        rebooted = available(self.rds, self.name)
        self.assertEqual(
            rebooted["DBParameterGroups"], [group | {"ParameterApplyStatus": "in-sync"}]
        )
        with connect(rebooted["Endpoint"]) as database:
            self.assertEqual(database.run("SHOW work_mem"), [["8MB"]])
            self.assertEqual(database.run("SHOW max_connections"), [["77"]])

    def test_tags_are_put_on_and_taken_off(self) -> None:
        arn = self.instance()["DBInstanceArn"]
        stage = {"Key": "stage", "Value": "test"}
        self.rds.add_tags_to_resource(ResourceName=arn, Tags=[stage])
        tags = self.rds.list_tags_for_resource(ResourceName=arn)["TagList"]
        self.assertIn(stage, tags)
        self.assertIn({"Key": "team", "Value": "payments"}, self.instance()["TagList"])
        self.rds.remove_tags_from_resource(ResourceName=arn, TagKeys=["stage"])
        self.assertNotIn(stage, self.instance()["TagList"])

    def test_a_new_password_is_the_only_one(self) -> None:
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name,
            MasterUserPassword="another-one",
            ApplyImmediately=True,
        )
        instance = available(self.rds, self.name)

        def is_refused() -> bool:
            try:
                with connect(instance["Endpoint"]):
                    return False
            except local_rds.pg8000.native.DatabaseError:
                return True

        until("the old password to be refused", is_refused)
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name,
            MasterUserPassword=local_rds.PASSWORD,
            ApplyImmediately=True,
        )
        until("the first password to be taken again", lambda: not is_refused())

    def test_filters_choose_by_exact_words(self) -> None:
        instance = self.instance()
        for name, value in (
            ("db-instance-id", self.name),
            ("dbi-resource-id", instance["DbiResourceId"]),
            ("engine", "postgres"),
        ):
            found = self.filtered(name, [value, "no-such-value"])
            self.assertEqual([each["DBInstanceIdentifier"] for each in found], [self.name], name)
            self.assertEqual(self.filtered(name, [value.swapcase()]), [], name)
        unknown = {"Name": "no-such-filter", "Values": ["value"]}
        self.code_is("InvalidParameterValue", "describe_db_instances", Filters=[unknown])

    def filtered(self, name: str, values: list[str]) -> list[dict[str, Any]]:
        filters = [{"Name": name, "Values": values}]
        return self.rds.describe_db_instances(Filters=filters)["DBInstances"]

    def test_paginators_come_to_an_end(self) -> None:
        engine = self.instance()["EngineVersion"].split(".")[0]
        pages = list(
            self.rds.get_paginator("describe_db_parameters").paginate(
                DBParameterGroupName=f"default.postgres{engine}",
                PaginationConfig={"PageSize": 20},
            )
        )
        self.assertGreater(len(pages), 1)
        self.assertTrue(all(len(page["Parameters"]) == 20 for page in pages[:-1]))
        names = [each["ParameterName"] for page in pages for each in page["Parameters"]]
        self.assertEqual(len(names), len(set(names)))
        self.code_is("InvalidParameterValue", "describe_db_instances", MaxRecords=19)

    def test_error_codes_are_botocores_exceptions(self) -> None:
        take_snapshot(self.rds, self.name, "details-snapshot")
        unknown = {"DBInstanceIdentifier": "unknown"}
        named = {"DBInstanceIdentifier": self.name}
        taken = {"DBSnapshotIdentifier": "details-snapshot"}
        self.refused("DBInstanceNotFoundFault", "describe_db_instances", **unknown)
        self.refused("DBInstanceNotFoundFault", "reboot_db_instance", **unknown)
        self.refused(
            "DBInstanceNotFoundFault", "delete_db_instance", **unknown, SkipFinalSnapshot=True
        )
        self.refused("DBInstanceAlreadyExistsFault", "create_db_instance", **INSTANCE, **named)
        self.refused("DBSnapshotAlreadyExistsFault", "create_db_snapshot", **named, **taken)
        self.refused(
            "DBSnapshotNotFoundFault", "describe_db_snapshots", DBSnapshotIdentifier="unknown"
        )
        self.refused(
            "DBSnapshotNotFoundFault",
            "restore_db_instance_from_db_snapshot",
            **unknown,
            DBSnapshotIdentifier="unknown",
        )
        self.refused(
            "DBInstanceAlreadyExistsFault", "restore_db_instance_from_db_snapshot", **named, **taken
        )
        self.refused(
            "DBParameterGroupNotFoundFault",
            "modify_db_instance",
            **named,
            DBParameterGroupName="unknown",
        )
        self.rds.delete_db_snapshot(**taken)

    def test_deletion_is_protected_and_decided(self) -> None:
        named = {"DBInstanceIdentifier": self.name}
        self.rds.modify_db_instance(**named, DeletionProtection=True, ApplyImmediately=True)
        available(self.rds, self.name)
        self.code_is(
            "InvalidParameterCombination", "delete_db_instance", **named, SkipFinalSnapshot=True
        )
        self.rds.modify_db_instance(**named, DeletionProtection=False, ApplyImmediately=True)
        available(self.rds, self.name)
        self.code_is("InvalidParameterCombination", "delete_db_instance", **named)


if __name__ == "__main__":
    unittest.main()
