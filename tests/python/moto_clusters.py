"""Where moto 5.2.5 is unlike RDS about DB clusters: corrected here, as `moto_corrections` says.

moto has no custom endpoints at all (DescribeDBClusterEndpoints: HTTP 500); that stays so.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.rds.exceptions import InvalidParameterCombination, RDSClientError
from moto.rds.models import DBCluster, DBClusterSnapshot, DBInstance, FilterDef, RDSBackend
from moto.rds.responses import RDSResponse

from moto_corrections import begin, corrects, handshakes, look, page, require

STATE_FAULT = "InvalidDBClusterStateFault"

# What RDS takes from the snapshot when a restore request leaves it out.
KEPT_BY_SNAPSHOT = (
    "allocated_storage",
    "backup_retention_period",
    "character_set_name",
    "engine",
    "kms_key_id",
    "master_username",
    "port",
    "storage_encrypted",
)

# RDS chooses a maintenance window at random for a restored cluster: any but the original's.
MAINTENANCE_WINDOW_AFTER_RESTORE = "sat:20:00-sat:20:30"

# Members of CreateDBCluster and RestoreDBClusterFromSnapshot that moto drops, and the attribute
# that DescribeDBClusters shows them by.
DROPPED_BY_MOTO = ("database_insights_mode", "engine_lifecycle_support")

# moto is available at the second look, whatever happens; here `looks` decides.
DBCluster.status = property(  # type: ignore[assignment]
    lambda self: self._status, lambda self, status: setattr(self, "_status", status)
)
DBCluster.SUPPORTED_FILTERS["db-cluster-resource-id"] = FilterDef(
    ["db_cluster_resource_id"], "DB Cluster Resource Ids"
)


# Looking


@corrects(DBCluster)
def endpoint(_original: Any, self: DBCluster) -> str:
    """moto's host names lead nowhere; here each endpoint has a server that shakes hands."""
    return handshakes().at(f"{self.db_cluster_identifier}.cluster")


@corrects(DBCluster)
def reader_endpoint(_original: Any, self: DBCluster) -> str:
    """The same for the readers."""
    return handshakes().at(f"{self.db_cluster_identifier}.cluster-ro")


@corrects(RDSResponse)
def describe_db_clusters(original: Any, self: RDSResponse) -> ActionResult:
    """On moto everything is done at once; on RDS it is seen to happen."""
    for cluster in list(self.backend.clusters.values()):
        if cluster.status == "deleting" and cluster.looks_left == 0:
            del self.backend.clusters[cluster.db_cluster_identifier]
    clusters = original(self)._result["DBClusters"]
    for cluster in clusters:
        look(cluster)
    return page("DBClusters", clusters, self.params)


@corrects(RDSResponse)
def describe_db_cluster_snapshots(original: Any, self: RDSResponse) -> ActionResult:
    """The same for snapshots; moto also ignores DbClusterResourceId."""
    snapshots = original(self)._result["DBClusterSnapshots"]
    identity = self.params.get("DbClusterResourceId")
    if identity is not None:
        snapshots = [found for found in snapshots if found.db_cluster_resource_id == identity]
    for snapshot in snapshots:
        look(snapshot)
        snapshot.percent_progress = 100 if snapshot.status == "available" else 50
    return page("DBClusterSnapshots", snapshots, self.params)


@corrects(RDSBackend)
def describe_db_subnet_groups(original: Any, self: RDSBackend, name: str) -> Any:
    """moto's clusters are in the group `default`, which it doesn't have; RDS does."""
    if name == "default" and name not in self.subnet_groups:
        subnets = ec2_backends[self.account_id][self.region_name].get_default_subnets()
        self.create_subnet_group(name, "default", list(subnets.values()), [])
    return original(self, name)


# Creating


@corrects(DBCluster)
def __init__(original: Any, self: DBCluster, backend: RDSBackend, **members: Any) -> None:
    """moto drops members that it doesn't know, and shows `aurora` or gp2, as RDS never does."""
    original(self, backend, **members)
    if self.engine.startswith("aurora") and members.get("storage_type") in (None, "aurora"):
        self.storage_type = None
    for member in DROPPED_BY_MOTO:
        if members.get(member) is not None:
            setattr(self, member, members[member])


@corrects(RDSBackend)
def create_db_cluster(original: Any, self: RDSBackend, members: Any) -> DBCluster:
    """moto makes a second cluster of a name in the place of the first."""
    if members["db_cluster_identifier"].lower() in self.clusters:
        raise RDSClientError("DBClusterAlreadyExistsFault", "The cluster already exists.")
    cluster = original(self, members)
    begin(cluster, "creating")
    return cluster


@corrects(DBCluster)
def save_automated_backup(_original: Any, self: DBCluster) -> None:
    """moto fails when the minute's name is taken."""
    name = f"rds:{self.db_cluster_identifier}-{utcnow():%Y-%m-%d-%H-%M}"
    if name not in self.backend.cluster_snapshots:
        self.backend.create_auto_cluster_snapshot(self.db_cluster_identifier, name)


@corrects(RDSBackend)
def create_db_instance(original: Any, self: RDSBackend, members: Any) -> DBInstance:
    """moto makes members of a cluster in any status."""
    cluster = self.clusters.get(members.get("db_cluster_identifier") or "")
    if cluster is not None:
        require(cluster, STATE_FAULT)
    return original(self, members)


@corrects(DBClusterSnapshot)
def __init__(  # noqa: F811: of a snapshot, where the one above is of a cluster
    original: Any,
    self: DBClusterSnapshot,
    backend: RDSBackend,
    cluster: DBCluster,
    *more: Any,
    **named: Any,
) -> None:
    """moto doesn't say of which cluster a snapshot is, but by name."""
    original(self, backend, cluster, *more, **named)
    self.db_cluster_resource_id = cluster.db_cluster_resource_id  # type: ignore[attr-defined]


@corrects(RDSResponse)
def create_db_cluster_snapshot(original: Any, self: RDSResponse) -> ActionResult:
    """moto takes a snapshot in any status; RDS of an available cluster."""
    source = self.backend.describe_db_clusters(self.params["DBClusterIdentifier"])[0]
    require(source, STATE_FAULT)
    answer = original(self)
    begin(answer._result["DBClusterSnapshot"], "creating")
    return answer


@corrects(RDSBackend)
def restore_db_cluster_from_snapshot(
    _original: Any, self: RDSBackend, snapshot_identifier: str, members: Any
) -> DBCluster:
    """moto lets the new cluster inherit nearly everything, and ignores `false` and `0`.

    RDS restores "with a default configuration": what the snapshot keeps, and the rest as asked.
    """
    snapshot = self.get_db_cluster_snapshot(snapshot_identifier)
    require(snapshot, "InvalidDBClusterSnapshotStateFault")
    wanted = {name: getattr(snapshot.cluster, name) for name in KEPT_BY_SNAPSHOT}
    wanted["master_user_password"] = snapshot.cluster._master_user_password
    wanted["preferred_maintenance_window"] = MAINTENANCE_WINDOW_AFTER_RESTORE
    wanted.update({name: value for name, value in members.items() if value is not None})
    return self.create_db_cluster(wanted)


# Changing


@corrects(RDSBackend)
def modify_db_cluster(original: Any, self: RDSBackend, members: Any) -> DBCluster:
    """moto renames onto a taken identifier, at once in any case, and forgets the members.

    On RDS a cluster takes its members along, under their own names.
    """
    cluster = self.describe_db_clusters(members["db_cluster_identifier"])[0]
    require(cluster, STATE_FAULT)
    new_identifier = members.get("new_db_cluster_identifier")
    if new_identifier is not None:
        if new_identifier.lower() in self.clusters:
            raise RDSClientError("DBClusterAlreadyExistsFault", "The cluster already exists.")
        if not members.get("apply_immediately"):
            raise InvalidParameterCombination("Here a rename has to be made at once.")
    of_cluster = cluster._members
    iam_authentication = members.get("enable_iam_database_authentication")
    if iam_authentication is not None:
        cluster.iam_auth = iam_authentication
    original(self, members)
    for member in of_cluster:
        member.db_cluster_identifier = cluster.db_cluster_identifier
    begin(cluster, "modifying" if new_identifier is None else "renaming")
    return cluster


# Deleting


@corrects(RDSResponse)
def delete_db_cluster(original: Any, self: RDSResponse) -> ActionResult:
    """moto lets one forget to decide on a final snapshot, and the cluster vanishes at once."""
    final = self.params.get("FinalDBSnapshotIdentifier")
    if bool(self.params.get("SkipFinalSnapshot")) == bool(final):
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    answer = original(self)
    cluster = answer._result["DBCluster"]
    begin(cluster, "deleting")
    self.backend.clusters[cluster.db_cluster_identifier] = cluster
    return answer


@corrects(RDSResponse)
def delete_db_cluster_snapshot(original: Any, self: RDSResponse) -> ActionResult:
    """moto deletes a snapshot in any status; RDS an available (or failed) one."""
    identifier = self.params["DBClusterSnapshotIdentifier"]
    snapshot = self.backend.get_db_cluster_snapshot(identifier)
    require(snapshot, "InvalidDBClusterSnapshotStateFault")
    return original(self)
