"""boto3, unchanged, attaches to databases of local RDS what other calls than create, restore and modify
attach on AWS: proxies, activity streams, replicated backups, integrations, global databases."""

from __future__ import annotations

from typing import Any

import local_rds
from boto3_story import Story, available, create, delete
from local_rds import connect, until

ARN = "arn:aws:iam::123456789012:role/any"


class Proxy(Story):
    """A proxy in front of a real database."""

    name = "behind"

    @classmethod
    def setUpClass(cls) -> None:
        rds = local_rds.client()
        create(rds, cls.name)
        cls.addClassCleanup(delete, rds, cls.name, SkipFinalSnapshot=True)

    def test_a_proxy_leads_to_its_target(self) -> None:
        proxy = {"DBProxyName": "front"}
        made = self.rds.create_db_proxy(
            **proxy, EngineFamily="POSTGRESQL", RoleArn=ARN, VpcSubnetIds=["subnet-1"], Auth=[]
        )["DBProxy"]
        self.addCleanup(self.rds.delete_db_proxy, **proxy)
        group = self.rds.describe_db_proxy_target_groups(**proxy)["TargetGroups"][0]
        self.assertTrue(group["IsDefault"])
        target = {"DBInstanceIdentifiers": [self.name]}
        self.rds.register_db_proxy_targets(**proxy, **target)
        self.refused(
            "DBProxyTargetAlreadyRegisteredFault", "register_db_proxy_targets", **proxy, **target
        )
        until("the target", lambda: self.states(proxy) == ["AVAILABLE"])
        with connect({"Address": made["Endpoint"], "Port": 5432}) as database:
            self.assertEqual(database.run("SELECT 1"), [[1]])

        self.rename(self.name, "elsewhere")
        self.assertEqual(self.states(proxy), ["UNAVAILABLE"])
        with self.assertRaises(local_rds.pg8000.native.InterfaceError):
            connect({"Address": made["Endpoint"], "Port": 5432})
        self.rename("elsewhere", self.name)
        self.assertEqual(self.states(proxy), ["AVAILABLE"])
        self.rds.deregister_db_proxy_targets(**proxy, **target)
        self.refused(
            "DBProxyTargetNotFoundFault", "deregister_db_proxy_targets", **proxy, **target
        )
        self.refused("DBProxyNotFoundFault", "describe_db_proxies", DBProxyName="nobody")

    def states(self, proxy: dict[str, str]) -> list[str]:
        targets = self.rds.describe_db_proxy_targets(**proxy)["Targets"]
        return [target["TargetHealth"]["State"] for target in targets]

    def rename(self, old: str, new: str) -> None:
        self.rds.modify_db_instance(
            DBInstanceIdentifier=old, NewDBInstanceIdentifier=new, ApplyImmediately=True
        )
        available(self.rds, new)


class Attached(Story):
    """What belongs to a database that exists in the control plane only."""

    name = "attached"

    @classmethod
    def setUpClass(cls) -> None:
        rds = local_rds.client()
        oracle = {"Engine": "oracle-ee", "LicenseModel": "bring-your-own-license"}
        cls.arn = create(rds, cls.name, **oracle)["DBInstanceArn"]
        cls.addClassCleanup(delete, rds, cls.name, SkipFinalSnapshot=True)

    def test_an_activity_stream_is_started_and_stopped(self) -> None:
        stream = {"ResourceArn": self.arn}
        started = self.rds.start_activity_stream(
            **stream, Mode="async", KmsKeyId="key", ApplyImmediately=True
        )
        self.assertEqual(started["Mode"], "async")
        until("the stream", lambda: self.seen()["ActivityStreamStatus"] == "started")
        self.rds.modify_activity_stream(**stream, AuditPolicyState="locked")
        until("the lock", lambda: self.seen()["ActivityStreamPolicyStatus"] == "locked")
        self.rds.stop_activity_stream(**stream)
        until("its end", lambda: self.seen()["ActivityStreamStatus"] == "stopped")
        self.refused("InvalidDBInstanceStateFault", "stop_activity_stream", **stream)

    def test_a_managed_password_has_its_secret(self) -> None:
        named = {"DBInstanceIdentifier": self.name, "ApplyImmediately": True}
        self.rds.modify_db_instance(**named, ManageMasterUserPassword=True)
        secret = until("the secret", lambda: self.seen().get("MasterUserSecret"))
        self.assertIn(":secret:rds!db-", secret["SecretArn"])
        self.code_is(
            "InvalidParameterCombination",
            "modify_db_instance",
            **named,
            MasterUserPassword="not-a-secret-2",
        )
        self.rds.modify_db_instance(
            **named, ManageMasterUserPassword=False, MasterUserPassword="not-a-secret-2"
        )
        until("its end", lambda: "MasterUserSecret" not in self.seen())

    def test_an_integration_holds_its_source(self) -> None:
        made = self.rds.create_integration(
            IntegrationName="lake", SourceArn=self.arn, TargetArn="arn:aws:redshift:::namespace/n"
        )
        named = {"DBInstanceIdentifier": self.name}
        self.refused(
            "InvalidDBInstanceStateFault", "delete_db_instance", **named, SkipFinalSnapshot=True
        )
        seen = self.rds.describe_integrations()["Integrations"]
        self.assertEqual([each["SourceArn"] for each in seen], [self.arn])
        integration = {"IntegrationIdentifier": made["IntegrationArn"]}
        self.rds.delete_integration(**integration)
        self.refused("IntegrationNotFoundFault", "describe_integrations", **integration)

    def test_a_deployment_that_is_not_supported_is_refused(self) -> None:
        self.refused(
            "SourceDatabaseNotSupportedFault",
            "create_blue_green_deployment",
            BlueGreenDeploymentName="upgrade",
            Source=self.arn,
        )
        self.assertEqual(self.rds.describe_blue_green_deployments()["BlueGreenDeployments"], [])

    def test_backups_are_not_replicated_to_where_they_are(self) -> None:
        self.code_is(
            "InvalidParameterValue",
            "start_db_instance_automated_backups_replication",
            SourceDBInstanceArn=self.arn,
        )

    def seen(self) -> dict[str, Any]:
        return available(self.rds, self.name)


class Groups(Story):
    """Groups and global databases that no cluster uses."""

    def test_a_cluster_parameter_group_says_what_it_sets(self) -> None:
        group = {"DBClusterParameterGroupName": "Tuned"}
        family = {"DBParameterGroupFamily": "aurora-mysql8.0"}
        made = self.rds.create_db_cluster_parameter_group(
            **group, **family, Description="for a story"
        )["DBClusterParameterGroup"]
        self.assertEqual(made["DBClusterParameterGroupName"], "tuned")
        zone = {"ParameterName": "time_zone", "ParameterValue": "Europe/Berlin"}
        self.rds.modify_db_cluster_parameter_group(
            **group, Parameters=[zone | {"ApplyMethod": "immediate"}]
        )
        seen = self.rds.describe_db_cluster_parameters(**group, Source="user")["Parameters"]
        self.assertEqual([each["ParameterValue"] for each in seen], ["Europe/Berlin"])
        defaults = self.rds.describe_engine_default_cluster_parameters(**family)
        self.assertIn("Marker", defaults["EngineDefaults"])
        self.rds.delete_db_cluster_parameter_group(**group)
        self.refused(
            "DBParameterGroupNotFoundFault", "describe_db_cluster_parameter_groups", **group
        )

    def test_a_global_database_without_clusters_can_be_deleted(self) -> None:
        world = {"GlobalClusterIdentifier": "world"}
        self.rds.create_global_cluster(**world, Engine="aurora-postgresql")
        self.refused(
            "GlobalClusterAlreadyExistsFault",
            "create_global_cluster",
            **world,
            Engine="aurora-postgresql",
        )
        seen = self.rds.describe_global_clusters(**world)["GlobalClusters"][0]
        self.assertEqual(seen["GlobalClusterMembers"], [])
        self.rds.delete_global_cluster(**world)
        self.refused("GlobalClusterNotFoundFault", "describe_global_clusters", **world)

    def test_what_nobody_has_is_not_found(self) -> None:
        role = {"DBClusterIdentifier": "nobody", "RoleArn": ARN}
        self.refused("DBClusterNotFoundFault", "add_role_to_db_cluster", **role)
        nobody = "arn:aws:rds:us-east-1:123456789012:cluster:nobody"
        self.refused("ResourceNotFoundFault", "enable_http_endpoint", ResourceArn=nobody)
        group = {"DBShardGroupIdentifier": "nobody"}
        self.refused("DBShardGroupNotFoundFault", "describe_db_shard_groups", **group)
