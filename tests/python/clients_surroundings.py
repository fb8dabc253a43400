"""boto3, unchanged, finds around a database of local RDS what it finds on AWS: groups, events,
quotas, versions, copies of snapshots, and pages of many instances."""

from __future__ import annotations

import unittest
from datetime import datetime, timedelta, timezone
from typing import Any

import local_rds
from boto3_story import Story, available, create, delete, take_snapshot
from local_rds import INSTANCE, OFTEN, connect, until


class Groups(Story):
    """Groups live beside the databases that use them."""

    def test_a_parameter_group_says_what_it_sets(self) -> None:
        group = {"DBParameterGroupName": "Tuned"}
        family = self.default_version()["DBParameterGroupFamily"]
        made = self.rds.create_db_parameter_group(
            **group, DBParameterGroupFamily=family, Description="for a story"
        )["DBParameterGroup"]
        self.assertEqual(made["DBParameterGroupName"], "tuned")
        again = {"DBParameterGroupFamily": family, "Description": "again"}
        self.refused(
            "DBParameterGroupAlreadyExistsFault", "create_db_parameter_group", **group, **again
        )
        memory = {"ParameterName": "work_mem", "ParameterValue": "8192"}
        self.rds.modify_db_parameter_group(
            **group, Parameters=[memory | {"ApplyMethod": "immediate"}]
        )
        set_by_user = self.rds.describe_db_parameters(**group, Source="user")["Parameters"]
        self.assertEqual(
            [(each["ParameterName"], each["ParameterValue"]) for each in set_by_user],
            [("work_mem", "8192")],
        )
        self.rds.delete_db_parameter_group(**group)
        self.refused("DBParameterGroupNotFoundFault", "describe_db_parameter_groups", **group)

    def test_a_subnet_group_holds_its_subnets(self) -> None:
        group = {"DBSubnetGroupName": "inner"}
        self.rds.create_db_subnet_group(
            **group, DBSubnetGroupDescription="for a story", SubnetIds=["subnet-1", "subnet-2"]
        )
        seen = self.rds.describe_db_subnet_groups(**group)["DBSubnetGroups"][0]
        subnets = {subnet["SubnetIdentifier"] for subnet in seen["Subnets"]}
        self.assertEqual(subnets, {"subnet-1", "subnet-2"})
        self.rds.delete_db_subnet_group(**group)
        self.refused("DBSubnetGroupNotFoundFault", "describe_db_subnet_groups", **group)

    def test_an_option_group_belongs_to_an_engine(self) -> None:
        version = self.default_version()["EngineVersion"].split(".")[0]
        group = {"OptionGroupName": "plain"}
        self.rds.create_option_group(
            **group,
            EngineName="postgres",
            MajorEngineVersion=version,
            OptionGroupDescription="for a story",
        )
        seen = self.rds.describe_option_groups(**group)["OptionGroupsList"][0]
        self.assertEqual(seen["EngineName"], "postgres")
        self.rds.delete_option_group(**group)
        self.refused("OptionGroupNotFoundFault", "describe_option_groups", **group)

    def default_version(self) -> dict[str, Any]:
        versions = self.rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)
        return versions["DBEngineVersions"][0]


class Account(Story):
    """Many databases of an engine that has no local server: the control plane alone."""

    names = [f"many-{number:02}" for number in range(21)]

    def setUp(self) -> None:
        super().setUp()
        oracle = {"Engine": "oracle-se2", "LicenseModel": "license-included"}
        for name in self.names:
            self.rds.create_db_instance(**INSTANCE | oracle | {"DBInstanceIdentifier": name})
            self.addCleanup(
                self.rds.delete_db_instance, DBInstanceIdentifier=name, SkipFinalSnapshot=True
            )
        waiter = self.rds.get_waiter("db_instance_available")
        waiter.wait(Filters=[{"Name": "engine", "Values": ["oracle-se2"]}], WaiterConfig=OFTEN)

    def test_pages_hold_every_instance_once(self) -> None:
        pages = self.rds.get_paginator("describe_db_instances").paginate(
            Filters=[{"Name": "db-instance-id", "Values": self.names}],
            PaginationConfig={"PageSize": 20},
        )
        found = [[each["DBInstanceIdentifier"] for each in page["DBInstances"]] for page in pages]
        self.assertEqual([len(page) for page in found], [20, 1])
        self.assertEqual(sorted(sum(found, [])), self.names)
        quotas = {
            quota["AccountQuotaName"]: quota
            for quota in self.rds.describe_account_attributes()["AccountQuotas"]
        }
        self.assertGreaterEqual(quotas["DBInstances"]["Used"], len(self.names))


class Time(Story):
    """What happens to one database in the course of time."""

    name = "timely"

    @classmethod
    def setUpClass(cls) -> None:
        rds = local_rds.client()
        cls.created = create(rds, cls.name)
        cls.addClassCleanup(delete, rds, cls.name, SkipFinalSnapshot=True)

    def test_a_stopped_database_answers_again_when_started(self) -> None:
        named = {"DBInstanceIdentifier": self.name}
        with connect(self.created["Endpoint"]) as database:
            database.run("CREATE TABLE lasting AS SELECT 7 AS number")
        self.rds.stop_db_instance(**named)
        until("the stop", lambda: self.status() == "stopped")
        with self.assertRaises(local_rds.pg8000.native.InterfaceError):
            connect(self.created["Endpoint"])
        self.refused("InvalidDBInstanceStateFault", "reboot_db_instance", **named)
        self.rds.start_db_instance(**named)
        available(self.rds, self.name)
        with connect(self.created["Endpoint"]) as database:
            self.assertEqual(database.run("SELECT number FROM lasting"), [[7]])

    def status(self) -> str:
        seen = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)
        return seen["DBInstances"][0]["DBInstanceStatus"]

    def test_a_copy_of_a_snapshot_outlives_it(self) -> None:
        take_snapshot(self.rds, self.name, "timely-first")
        self.rds.copy_db_snapshot(
            SourceDBSnapshotIdentifier="timely-first",
            TargetDBSnapshotIdentifier="timely-second",
            Tags=[{"Key": "kind", "Value": "copy"}],
        )
        waiter = self.rds.get_waiter("db_snapshot_completed")
        waiter.wait(DBSnapshotIdentifier="timely-second", WaiterConfig=OFTEN)
        self.rds.delete_db_snapshot(DBSnapshotIdentifier="timely-first")
        waiter = self.rds.get_waiter("db_snapshot_deleted")
        waiter.wait(DBSnapshotIdentifier="timely-first", WaiterConfig=OFTEN)
        left = self.rds.describe_db_snapshots(
            DBInstanceIdentifier=self.name, SnapshotType="manual"
        )["DBSnapshots"]
        self.assertEqual([each["DBSnapshotIdentifier"] for each in left], ["timely-second"])
        self.assertEqual(left[0]["TagList"], [{"Key": "kind", "Value": "copy"}])
        self.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="timely-copy", DBSnapshotIdentifier=left[0]["DBSnapshotArn"]
        )
        copied = available(self.rds, "timely-copy")
        with connect(copied["Endpoint"]) as database:
            self.assertEqual(database.run("SELECT 1"), [[1]])
        delete(self.rds, "timely-copy", SkipFinalSnapshot=True)
        self.rds.delete_db_snapshot(DBSnapshotIdentifier="timely-second")

    def test_events_tell_what_happened(self) -> None:
        self.rds.reboot_db_instance(DBInstanceIdentifier=self.name)
        available(self.rds, self.name)
        asked = {"SourceIdentifier": self.name, "SourceType": "db-instance"}
        events = self.rds.describe_events(**asked, Duration=60)["Events"]
        messages = [event["Message"] for event in events]
        self.assertIn("DB instance created", messages)
        self.assertTrue(any("restarted" in message for message in messages), messages)
        times = [event["Date"] for event in events]
        self.assertEqual(times, sorted(times))
        later = datetime.now(timezone.utc) + timedelta(hours=1)
        self.assertEqual(self.rds.describe_events(**asked, StartTime=later)["Events"], [])

    def test_settings_are_changed_by_their_names(self) -> None:
        changed = {
            "AllocatedStorage": 40,
            "BackupRetentionPeriod": 9,
            "CopyTagsToSnapshot": True,
            "DBInstanceClass": "db.m5.large",
            "MaxAllocatedStorage": 100,
            "MultiAZ": True,
            "PreferredMaintenanceWindow": "sun:01:00-sun:01:30",
        }
        self.rds.modify_db_instance(
            **changed, DBInstanceIdentifier=self.name, ApplyImmediately=True
        )
        seen = until("the changes", lambda: self.settled_with(changed))
        self.assertEqual(seen["PendingModifiedValues"], {})

    def settled_with(self, changed: dict[str, Any]) -> dict[str, Any] | None:
        instance = available(self.rds, self.name)
        return instance if all(instance[name] == value for name, value in changed.items()) else None

    def test_what_is_not_urgent_waits(self) -> None:
        named = {"DBInstanceIdentifier": self.name}
        before = available(self.rds, self.name)["DBInstanceClass"]
        self.rds.modify_db_instance(**named, DBInstanceClass="db.r5.large")
        waiting = available(self.rds, self.name)
        self.assertEqual(waiting["DBInstanceClass"], before)
        self.assertEqual(waiting["PendingModifiedValues"], {"DBInstanceClass": "db.r5.large"})
        self.rds.modify_db_instance(**named, DBInstanceClass="db.r5.large", ApplyImmediately=True)
        until("the change", lambda: self.settled_with({"DBInstanceClass": "db.r5.large"}))

    def test_the_port_moves_the_endpoint(self) -> None:
        port = self.created["Endpoint"]["Port"] + 1
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name, DBPortNumber=port, ApplyImmediately=True
        )
        endpoint = self.endpoint_at(port)
        self.assertEqual(endpoint["Address"], self.created["Endpoint"]["Address"])
        with connect(endpoint) as database:
            self.assertEqual(database.run("SELECT 1"), [[1]])
        self.rds.modify_db_instance(
            DBInstanceIdentifier=self.name,
            DBPortNumber=self.created["Endpoint"]["Port"],
            ApplyImmediately=True,
        )
        first = self.created["Endpoint"]
        self.assertEqual(self.endpoint_at(first["Port"]), first)

    def endpoint_at(self, port: int) -> dict[str, Any]:
        def moved() -> dict[str, Any] | None:
            endpoint = available(self.rds, self.name)["Endpoint"]
            return endpoint if endpoint["Port"] == port else None

        return until(f"port {port}", moved)


if __name__ == "__main__":
    unittest.main()
