"""The attribute tables forget nothing of the API that botocore knows.

The tables in crates/rds are compared with the facts by a test of their own; here the facts are
compared with the service model. A member that the API gets makes this fail, and never a restore.
"""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path

import extract_model

CRATE = Path(__file__).parents[2] / "crates/rds"
FACTS = json.loads((CRATE / "facts/rds-config-attributes.json").read_text())
CODES = (CRATE / "facts/error-codes.txt").read_text()

MODEL = extract_model.service_model()
# What RDS has accepted and not made yet: a member of the answer about each kind of database.
PENDING = {
    "database/instance.rs": "PendingModifiedValues",
    "database/cluster.rs": "ClusterPendingModifiedValues",
}
# Of these botocore makes the PreSignedUrl.
ADDED_BY_BOTOCORE = {name: {"SourceRegion"} for name in ("CreateDBInstanceReadReplica", "CreateDBCluster")}
# The certificate, shown a second time.
SHOWN_TWICE = {"DBInstance": {"CertificateDetails"}}
TABLES = ("db_instance", "db_cluster", "db_cluster_member")


def rows() -> list[dict]:
    """The rows of all tables."""
    return [row for name in TABLES for row in FACTS[name]]


def asked(operation: str) -> set[str]:
    """The members of a request that the facts account for."""
    members = {row[operation] for row in rows() if row.get(operation)}
    more = (row.get(f"{operation}_extra", []) for row in rows())
    control = FACTS["meta"]["control_members"].get(operation, [])
    return members.union(control, *more) | ADDED_BY_BOTOCORE.get(operation, set())


def shown(shape: str) -> set[str]:
    """The members of an answer that the facts account for."""
    described = [row["describe"] for row in rows() if row["describe"]]
    paths = [each["path"] for each in described if each["shape"] == shape]
    # What the path goes through: `Endpoint.Port` is a member of `Endpoint`.
    members = {re.split(r"[.\[]", path)[0] for path in paths}
    return members.union(FACTS["output_only"][shape], SHOWN_TWICE.get(shape, set()))


def named() -> set[str]:
    """The operations that the crate's sources name."""
    sources = "".join(path.read_text() for path in sorted(CRATE.glob("src/**/*.rs")))
    return set(re.findall(r'"([A-Z][A-Za-z]+)"', sources)) & set(MODEL.operation_names)


class Attributes(unittest.TestCase):
    """Every member of the API is a row of a table, or known not to be one."""

    def test_every_member_of_every_request_is_accounted_for(self) -> None:
        for operation in FACTS["meta"]["request_member_counts"]:
            with self.subTest(operation):
                shape = MODEL.operation_model(operation).input_shape
                self.assertEqual(asked(operation), set(shape.members))

    def test_every_member_of_every_answer_is_accounted_for(self) -> None:
        for shape in ("DBInstance", "DBCluster"):
            with self.subTest(shape):
                self.assertEqual(shown(shape), set(MODEL.shape_for(shape).members))

    def test_every_change_that_can_be_pending_is_read(self) -> None:
        for source, shape in PENDING.items():
            with self.subTest(shape):
                text = (CRATE / "src" / source).read_text()
                read = re.findall(r'\("([A-Za-z]+)", !?pending\.', text)
                self.assertEqual(set(read), set(MODEL.shape_for(shape).members))


class Codes(unittest.TestCase):
    """Every code that the operations of the crate can end in is listed, and so has a class."""

    def setUp(self) -> None:
        lines = [line.split(": ") for line in CODES.splitlines() if not line.startswith("#")]
        self.codes = {operation: set(codes.split()) for operation, codes in lines}

    def test_every_operation_is_listed(self) -> None:
        modelled = {name for name in named() if MODEL.operation_model(name).error_shapes}
        self.assertGreater(len(modelled), 40)
        self.assertEqual(modelled - set(self.codes), set())

    def test_every_code_of_an_operation_is_listed(self) -> None:
        for operation in set(self.codes) & set(MODEL.operation_names):
            with self.subTest(operation):
                shapes = MODEL.operation_model(operation).error_shapes
                self.assertEqual(self.codes[operation], {shape.error_code for shape in shapes})


if __name__ == "__main__":
    unittest.main()
