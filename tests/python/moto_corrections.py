"""Where moto 5.2.5 is unlike RDS, and a whole restore would notice: corrected here.

The service model and AWS's documentation decide; nothing of Trapheus is weakened to suit moto.
Every correction is one function below and says what moto does and what RDS does. What moto lacks
altogether (DescribeAccountAttributes, DescribeDBEngineVersions, ...: HTTP 500 with HTML) stays
lacking: a check that cannot be made is a warning, and that is tested too.

Things take time on RDS. Here time is counted in looks: a new status is shown by as many
descriptions as `looks` says before the next one, so that no test depends on a clock.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.rds.exceptions import (
    DBInstanceAlreadyExists,
    DBParameterGroupNotFoundError,
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)
from moto.rds.models import (
    DBCluster,
    DBClusterSnapshot,
    DBInstance,
    DBSnapshot,
    OptionGroup,
    RDSBackend,
)
from moto.rds.responses import RDSResponse

from postgres_handshake import Handshakes

# What RDS takes from the snapshot when a restore request leaves it out. Everything else has RDS's
# default then, whatever the original had.
KEPT_BY_SNAPSHOT = (
    "allocated_storage",
    "backup_retention_period",
    "character_set_name",
    "db_instance_class",
    "db_name",
    "engine",
    "engine_version",
    "iops",
    "license_model",
    "master_username",
    "port",
    "preferred_backup_window",
    "storage_throughput",
)

# Members of CreateDBInstance and RestoreDBInstanceFromDBSnapshot that moto drops, and the
# attribute that DescribeDBInstances shows them by.
DROPPED_BY_MOTO = {
    "database_insights_mode": "database_insights_mode",
    "dedicated_log_volume": "dedicated_log_volume",
    "enable_performance_insights": "performance_insights_enabled",
    "engine_lifecycle_support": "engine_lifecycle_support",
    "network_type": "network_type",
    "performance_insights_kms_key_id": "performance_insights_kms_key_id",
    "performance_insights_retention_period": "performance_insights_retention_period",
}

# Members of ModifyDBInstance that moto stores by their own name, where nothing reads them.
MISPLACED_BY_MOTO = {
    "db_port_number": "port",
    "enable_performance_insights": "performance_insights_enabled",
}

# RDS chooses a maintenance window at random for a restored instance: any but the original's.
MAINTENANCE_WINDOW_AFTER_RESTORE = "sat:20:00-sat:20:30"

BECOMES_AVAILABLE = {"creating", "modifying", "rebooting", "renaming"}

_looks = 0
_handshakes: Handshakes


def apply(handshakes: Handshakes, looks: int) -> None:
    """Turns the corrections on: endpoints lead to `handshakes`, a status lasts `looks` looks."""
    global _handshakes, _looks
    _handshakes, _looks = handshakes, looks
    for owner, correction in _corrections:
        _install(owner, correction)
    for owner in (DBInstance, DBSnapshot, DBCluster, DBClusterSnapshot):
        for definition in owner.SUPPORTED_FILTERS.values():
            # moto compares without regard to case; RDS does so with identifiers, not in filters.
            definition.case_insensitive = False


_corrections: list[tuple[type, Callable[..., Any]]] = []


def corrects(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a function as the correction of the owner's method of the same name.

    The function gets the uncorrected method first.
    """

    def remember(correction: Callable[..., Any]) -> Callable[..., Any]:
        _corrections.append((owner, correction))
        return correction

    return remember


def handshakes() -> Handshakes:
    """What the endpoints lead to."""
    return _handshakes


def _install(owner: type, correction: Callable[..., Any]) -> None:
    name = correction.__name__
    moto = getattr(owner, name)
    original = moto.fget if isinstance(moto, property) else moto

    @functools.wraps(correction)
    def corrected(*arguments: Any, **named: Any) -> Any:
        return correction(original, *arguments, **named)

    setattr(owner, name, property(corrected) if isinstance(moto, property) else corrected)


# Identity


@corrects(DBInstance)
def __init__(original: Any, self: DBInstance, backend: RDSBackend, **members: Any) -> None:
    """moto gives every instance the same DbiResourceId; on RDS it is unique for ever.

    moto also drops members that it doesn't know, and invents the names of default option groups
    (`default:postgres-15-4`) without making the groups.
    """
    if not members.get("db_cluster_identifier") and members.get("option_group_name") is None:
        members["option_group_name"] = _default_option_group(backend, members)
    original(self, backend, **members)
    self.dbi_resource_id = new_resource_id()
    for member, attribute in DROPPED_BY_MOTO.items():
        if members.get(member) is not None:
            setattr(self, attribute, members[member])


@corrects(RDSBackend)
def create_db_instance_read_replica(original: Any, self: RDSBackend, members: Any) -> DBInstance:
    """moto's replica is a copy of its source, resource id included."""
    replica = original(self, members)
    replica.dbi_resource_id = new_resource_id()
    return replica


def new_resource_id() -> str:
    """An identity that nothing else has."""
    return f"db-{uuid.uuid4().hex[:26].upper()}"


def _default_option_group(backend: RDSBackend, members: Any) -> str | None:
    engine = members["engine"]
    version = members.get("engine_version") or DBInstance.default_engine_versions.get(engine)
    if version is None:
        return None
    parts = version.split(".")
    single = engine == "postgres" and int(parts[0]) >= 10
    name = f"default:{engine}-{parts[0] if single else '-'.join(parts[:2])}"
    if name not in backend.option_groups:
        major = parts[0] if single else ".".join(parts[:2])
        backend.option_groups[name] = OptionGroup(backend, name, engine, major, "Default")
    return name


@corrects(RDSBackend)
def describe_db_parameter_groups(original: Any, self: RDSBackend, members: Any) -> Any:
    """moto answers an unknown name with an empty list; the model has DBParameterGroupNotFound."""
    groups = original(self, members)
    name = members.get("db_parameter_group_name")
    if name and not groups:
        raise DBParameterGroupNotFoundError(name)
    return groups


@corrects(DBInstance)
def address(_original: Any, self: DBInstance) -> str:
    """moto's host names lead nowhere; here each name has a server that shakes hands."""
    return _handshakes.at(self.db_instance_identifier)


@corrects(DBInstance)
def endpoint(original: Any, self: DBInstance) -> Any:
    """moto shows an endpoint from the start; RDS when the instance has one."""
    return None if self.status == "creating" else original(self)


@corrects(RDSBackend)
def describe_db_instances(
    original: Any, self: RDSBackend, db_instance_identifier: str | None = None, filters: Any = None
) -> list[DBInstance]:
    """Identifiers are compared without regard to case, although filters no longer are."""
    return original(self, db_instance_identifier and db_instance_identifier.lower(), filters)


# Time, counted in looks


def begin(resource: Any, status: str) -> None:
    """The resource is in `status`, for as many looks as were asked for."""
    resource.status = status
    resource.looks_left = _looks


def look(resource: Any) -> None:
    """Somebody looks: one look less until it is available."""
    left = getattr(resource, "looks_left", 0)
    if left > 0:
        resource.looks_left = left - 1
    elif resource.status in BECOMES_AVAILABLE:
        resource.status = "available"


@corrects(RDSResponse)
def describe_db_instances(  # noqa: F811: the request, where the one above is the database
    original: Any, self: RDSResponse
) -> ActionResult:
    """On moto everything is done at once; on RDS it is seen to happen."""
    for database in list(self.backend.databases.values()):
        if database.status == "deleting" and database.looks_left == 0:
            del self.backend.databases[database.db_instance_identifier]
    databases = original(self)._result["DBInstances"]
    for database in databases:
        look(database)
    return page("DBInstances", databases, self.params)


@corrects(RDSResponse)
def describe_db_snapshots(original: Any, self: RDSResponse) -> ActionResult:
    """The same for snapshots."""
    snapshots = original(self)._result["DBSnapshots"]
    for snapshot in snapshots:
        look(snapshot)
        snapshot.percent_progress = 100 if snapshot.status == "available" else 50
    return page("DBSnapshots", snapshots, self.params)


def page(key: str, found: list[Any], members: Any) -> ActionResult:
    """moto fails at the first Marker for instances, and gives all snapshots at once."""
    first = int(members.get("Marker") or 0)
    after = first + int(members.get("MaxRecords") or 100)
    marker = str(after) if after < len(found) else None
    return ActionResult({key: found[first:after], "Marker": marker})


def require(resource: Any, fault: str) -> None:
    """Refuses what RDS refuses for a resource that is not available."""
    if resource.status != "available":
        raise RDSClientError(fault, f"{resource.resource_id} is {resource.status}")


# Creating


@corrects(RDSBackend)
def create_db_instance(original: Any, self: RDSBackend, members: Any) -> DBInstance:
    """See "Time, counted in looks"."""
    database = original(self, members)
    begin(database, "creating")
    return database


@corrects(DBInstance)
def save_automated_backup(_original: Any, self: DBInstance) -> None:
    """moto takes one although the retention is 0, and fails when the minute's name is taken.

    (RDS never takes two within a minute; here a name may be restored twice in that time. Of a
    cluster's member it takes none.)
    """
    if self.backup_retention_period == 0 or self.db_cluster_identifier:
        return
    name = f"rds:{self.db_instance_identifier}-{utcnow():%Y-%m-%d-%H-%M}"
    if name not in self.backend.database_snapshots:
        self.backend.create_auto_snapshot(self.db_instance_identifier, name)


@corrects(RDSResponse)
def create_db_snapshot(original: Any, self: RDSResponse) -> ActionResult:
    """moto takes a snapshot in any status; RDS of an available instance."""
    source = self.backend.describe_db_instances(self.params["DBInstanceIdentifier"])[0]
    require(source, "InvalidDBInstanceStateFault")
    answer = original(self)
    begin(answer._result["DBSnapshot"], "creating")
    return answer


@corrects(RDSBackend)
def restore_db_instance_from_db_snapshot(
    _original: Any, self: RDSBackend, snapshot_identifier: str, members: Any
) -> DBInstance:
    """moto lets the new instance inherit nearly everything, and ignores `false` and `0`.

    So it would hide a setting that is not put back. RDS restores what the snapshot keeps; the
    rest (Multi-AZ, deletion protection, groups, log exports, monitoring, windows, ...) has its
    default unless the request says otherwise.
    """
    if members["db_instance_identifier"] in self.databases:
        raise DBInstanceAlreadyExists()
    snapshot = self.get_db_snapshot(snapshot_identifier)
    require(snapshot, "InvalidDBSnapshotStateFault")
    original_database = snapshot.database
    wanted = {name: getattr(original_database, name) for name in KEPT_BY_SNAPSHOT}
    wanted["master_user_password"] = original_database._master_user_password
    wanted["kms_key_id"] = snapshot.kms_key_id
    wanted["storage_encrypted"] = snapshot.encrypted
    wanted["preferred_maintenance_window"] = MAINTENANCE_WINDOW_AFTER_RESTORE
    wanted["tags"] = snapshot.tags
    wanted.update({name: value for name, value in members.items() if value is not None})
    wanted.setdefault("storage_type", "io1" if wanted["iops"] else "gp3")
    if wanted["allocated_storage"] < snapshot.allocated_storage:
        raise InvalidParameterValue("The storage can't be smaller than the snapshot's.")
    return self.create_db_instance(wanted)


# Changing


@corrects(RDSBackend)
def modify_db_instance(
    original: Any, self: RDSBackend, db_instance_identifier: str, members: Any
) -> DBInstance:
    """moto renames onto a taken identifier, which is overwritten, and at once in any case.

    RDS refuses a taken identifier, and without ApplyImmediately lets the rename wait.
    """
    database = self.describe_db_instances(db_instance_identifier)[0]
    require(database, "InvalidDBInstanceStateFault")
    new_identifier = members.get("new_db_instance_identifier")
    if new_identifier is not None:
        self._validate_db_identifier(new_identifier)
        if new_identifier in self.databases:
            raise DBInstanceAlreadyExists()
        if not members.get("apply_immediately"):
            del members["new_db_instance_identifier"]
            pending = {"DBInstanceIdentifier": new_identifier.lower()}
            database.pending_modified_values = pending  # type: ignore[attr-defined]
            new_identifier = None
    changed = original(self, db_instance_identifier, members)
    begin(changed, "modifying" if new_identifier is None else "renaming")
    return changed


@corrects(DBInstance)
def update(original: Any, self: DBInstance, **members: Any) -> None:
    """moto keeps some members of ModifyDBInstance where DescribeDBInstances doesn't look."""
    for member, attribute in MISPLACED_BY_MOTO.items():
        if members.get(member) is not None:
            members[attribute] = members.pop(member)
    original(self, **members)


@corrects(RDSBackend)
def reboot_db_instance(original: Any, self: RDSBackend, identifier: str) -> DBInstance:
    """moto doesn't look at the status, and shows none of the reboot."""
    database = original(self, identifier)
    require(database, "InvalidDBInstanceStateFault")
    begin(database, "rebooting")
    return database


# Deleting


@corrects(RDSBackend)
def delete_db_instance(
    original: Any,
    self: RDSBackend,
    db_instance_identifier: str,
    final_db_snapshot_identifier: str | None = None,
    skip_final_snapshot: bool | None = False,
    delete_automated_backups: bool | None = True,
) -> DBInstance:
    """moto lets one forget to decide on a final snapshot, and the instance vanishes at once.

    It also finds the automated snapshots by name, so that a renamed instance leaves its own
    behind and takes those of whoever has its former name now.
    """
    database = self.describe_db_instances(db_instance_identifier)[0]
    if database.status == "deleting":
        raise RDSClientError(
            "InvalidDBInstanceStateFault",
            f"Instance {db_instance_identifier} is already being deleted.",
        )
    if bool(skip_final_snapshot) == bool(final_db_snapshot_identifier):
        raise InvalidParameterCombination(
            "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified."
        )
    original(
        self,
        db_instance_identifier,
        final_db_snapshot_identifier,
        skip_final_snapshot,
        delete_automated_backups=False,
    )
    if delete_automated_backups:
        for snapshot in self.describe_db_snapshots(None, snapshot_type="automated"):
            if snapshot.dbi_resource_id == database.dbi_resource_id:
                self.delete_db_snapshot(snapshot.db_snapshot_identifier)
    begin(database, "deleting")
    self.databases[db_instance_identifier] = database
    return database


@corrects(RDSResponse)
def delete_db_snapshot(original: Any, self: RDSResponse) -> ActionResult:
    """moto deletes a snapshot in any status; RDS an available (or failed) one."""
    identifier = self.params["DBSnapshotIdentifier"]
    require(self.backend.get_db_snapshot(identifier), "InvalidDBSnapshotStateFault")
    return original(self)
