"""Where moto 5.2.5 is unlike AWS about accounts and Regions: corrected as `moto_corrections` says.

A snapshot of another account is only there for those whom it is shared with. RDS's own key and
roles that refuse are as on AWS: the role `stranger` trusts nobody, and `guarded` asks for the
external id `sesame`.
"""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.rds.exceptions import (
    InvalidParameterCombination,
    InvalidParameterValue,
    RDSClientError,
)
from moto.rds.models import DBCluster, DBClusterSnapshot, DBInstance, DBSnapshot, RDSBackend
from moto.rds.responses import RDSResponse
from moto.rds.utils import split_arn
from moto.sts.models import STSBackend

from moto_corrections import begin, corrects, look, require

DEFAULT_KEY = "alias/aws/rds"


@corrects(STSBackend)
def assume_role(original: Any, self: STSBackend, **members: Any) -> Any:
    """moto lets everybody assume every role."""
    name = members["role_arn"].rsplit("/", 1)[-1]
    if name == "stranger" or (name == "guarded" and members["external_id"] != "sesame"):
        raise RDSClientError("AccessDenied", "The caller is not authorized to perform this.")
    return original(self, **members)


# Keys


@corrects(RDSBackend)
def _validate_kms_key(original: Any, self: RDSBackend, kms_key_id: str) -> str:
    """moto doesn't know the key that RDS has in every account and Region."""
    own = f"arn:aws:kms:{self.region_name}:{self.account_id}:key/aws-rds"
    return own if kms_key_id in (DEFAULT_KEY, own) else original(self, kms_key_id)


# Seeing a snapshot of another account or Region


@corrects(RDSBackend)
def get_snapshot(
    original: Any, self: RDSBackend, identifier: str, resource_type: Any, not_found_exception: Any
) -> Any:
    """moto reads the Region from an ARN, but not the account, and asks for no permission."""
    if not identifier.startswith("arn:"):
        return original(self, identifier, resource_type, not_found_exception)
    region, account, _, name = split_arn(identifier)
    there = self.get_backend("rds", region=region, account_id=account)
    snapshot = there.resource_map[resource_type].get(name)  # type: ignore[union-attr]
    allowed = snapshot and [account, *snapshot.attributes["restore"]]
    if not allowed or self.account_id not in allowed:
        raise not_found_exception(identifier)
    return snapshot


def _shared(self: RDSResponse, member: str, found: Any) -> Any:
    """The snapshot that is named by an ARN, as others than its owner see it."""
    arn = self.params[member]
    if split_arn(arn)[:2] == (self.backend.region_name, self.backend.account_id):
        return found(arn)
    if not self.params.get("IncludeShared") or split_arn(arn)[0] != self.backend.region_name:
        raise RDSClientError("DBSnapshotNotFound", f"{arn} not found.")
    seen = copy.copy(found(arn))
    look(seen)
    # Its owner's tags are nobody else's business.
    seen.snapshot_type, seen.tags = "shared", []
    return seen


@corrects(RDSResponse)
def describe_db_snapshots(original: Any, self: RDSResponse) -> ActionResult:
    """moto finds no snapshot by its ARN."""
    if not (self.params.get("DBSnapshotIdentifier") or "").startswith("arn:"):
        return original(self)
    seen = _shared(self, "DBSnapshotIdentifier", self.backend.get_db_snapshot)
    return ActionResult({"DBSnapshots": [seen]})


@corrects(RDSResponse)
def describe_db_cluster_snapshots(original: Any, self: RDSResponse) -> ActionResult:
    """The same for clusters."""
    if not (self.params.get("DBClusterSnapshotIdentifier") or "").startswith("arn:"):
        return original(self)
    seen = _shared(self, "DBClusterSnapshotIdentifier", self.backend.get_db_cluster_snapshot)
    return ActionResult({"DBClusterSnapshots": [seen]})


# Sharing and copying


def _may_be_shared(snapshot: Any, accounts: Any) -> None:
    if accounts and (snapshot.kms_key_id or "").endswith("key/aws-rds"):
        raise InvalidParameterValue("A snapshot under the default key can't be shared.")


@corrects(RDSBackend)
def modify_db_snapshot_attribute(
    original: Any,
    self: RDSBackend,
    db_snapshot_identifier: str,
    attribute_name: str,
    values_to_add: Any = None,
    values_to_remove: Any = None,
) -> Any:
    """moto shares what is encrypted with a key that nobody else may use."""
    _may_be_shared(self.get_db_snapshot(db_snapshot_identifier), values_to_add)
    return original(
        self, db_snapshot_identifier, attribute_name, values_to_add, values_to_remove
    )


@corrects(RDSBackend)
def modify_db_cluster_snapshot_attribute(
    original: Any,
    self: RDSBackend,
    db_cluster_snapshot_identifier: str,
    attribute_name: str,
    values_to_add: Any = None,
    values_to_remove: Any = None,
) -> Any:
    """The same for clusters."""
    _may_be_shared(self.get_db_cluster_snapshot(db_cluster_snapshot_identifier), values_to_add)
    return original(
        self, db_cluster_snapshot_identifier, attribute_name, values_to_add, values_to_remove
    )


def _copy(self: RDSBackend, source: Any, fault: str, kms_key_id: str | None) -> None:
    """What RDS asks of a copy: an encrypted one from elsewhere needs a key of here."""
    require(source, fault)
    home = (source.backend.account_id, source.backend.region_name)
    if source.encrypted and home != (self.account_id, self.region_name) and not kms_key_id:
        raise InvalidParameterCombination("KmsKeyId is required for an encrypted snapshot.")


@corrects(RDSBackend)
def copy_db_snapshot(
    original: Any,
    self: RDSBackend,
    source_db_snapshot_identifier: str,
    target_db_snapshot_identifier: str,
    kms_key_id: str | None = None,
    **more: Any,
) -> DBSnapshot:
    """moto's copy is there at once, and under no key where the source has one of elsewhere."""
    source = self.get_db_snapshot(source_db_snapshot_identifier)
    _copy(self, source, "InvalidDBSnapshotStateFault", kms_key_id)
    made = original(
        self, source_db_snapshot_identifier, target_db_snapshot_identifier, kms_key_id, **more
    )
    begin(made, "creating")
    return made


@corrects(RDSBackend)
def copy_db_cluster_snapshot(
    original: Any,
    self: RDSBackend,
    source_db_cluster_snapshot_identifier: str,
    target_db_cluster_snapshot_identifier: str,
    kms_key_id: str | None = None,
    **more: Any,
) -> DBClusterSnapshot:
    """The same for clusters."""
    source = self.get_db_cluster_snapshot(source_db_cluster_snapshot_identifier)
    _copy(self, source, "InvalidDBClusterSnapshotStateFault", kms_key_id)
    made = original(
        self,
        source_db_cluster_snapshot_identifier,
        target_db_cluster_snapshot_identifier,
        kms_key_id,
        **more,
    )
    begin(made, "creating")
    return made


# Restoring what is shared


def _may_be_restored(self: RDSBackend, identifier: str, snapshot: Any) -> None:
    if not identifier.startswith("arn:"):
        return
    if split_arn(identifier)[0] != self.region_name:
        raise InvalidParameterValue("A snapshot is restored in its own Region.")
    if split_arn(identifier)[1] != self.account_id and snapshot.encrypted:
        raise InvalidParameterValue("A shared encrypted snapshot has to be copied first.")


@corrects(RDSBackend)
def restore_db_instance_from_db_snapshot(
    original: Any, self: RDSBackend, from_snapshot_id: str, members: Any
) -> DBInstance:
    """moto asks neither for the Region nor for a copy."""
    _may_be_restored(self, from_snapshot_id, self.get_db_snapshot(from_snapshot_id))
    return original(self, from_snapshot_id, members)


@corrects(RDSBackend)
def restore_db_cluster_from_snapshot(
    original: Any, self: RDSBackend, from_snapshot_id: str, members: Any
) -> DBCluster:
    """The same for clusters."""
    _may_be_restored(self, from_snapshot_id, self.get_db_cluster_snapshot(from_snapshot_id))
    return original(self, from_snapshot_id, members)

