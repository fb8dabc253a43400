"""The watch over answers sees what botocore forgives."""

from __future__ import annotations

import unittest
from pathlib import Path

import boto3

import extract_model
import service_model

MODEL = Path(__file__).parents[2] / "crates/local/model/rds-2014-10-31.txt"

ANSWER = """<DescribeDBInstancesResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
  <DescribeDBInstancesResult><DBInstances><DBInstance>
    <DBInstanceIdentifier>orders</DBInstanceIdentifier>
    <InstanceCreateTime>2026-01-02T03:04:05.678Z</InstanceCreateTime>
    <MultiAZ>false</MultiAZ>
    <AllocatedStorage>20</AllocatedStorage>
  </DBInstance></DBInstances></DescribeDBInstancesResult>
  <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</DescribeDBInstancesResponse>"""

ERROR = """<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">
  <Error><Type>Sender</Type><Code>DBInstanceNotFound</Code><Message>no</Message></Error>
  <RequestId>1</RequestId>
</ErrorResponse>"""


class Watch(unittest.TestCase):
    """One answer that is right, and one wrong thing at a time."""

    def setUp(self) -> None:
        rds = boto3.client("rds", region_name="us-east-1")
        self.operation = rds.meta.service_model.operation_model("DescribeDBInstances")

    def check(self, body: str, status: int = 200) -> None:
        answer = {"body": body.encode(), "status_code": status}
        service_model.check(operation_model=self.operation, response_dict=answer)

    def test_a_right_answer_passes(self) -> None:
        self.check(ANSWER)
        self.check(ERROR, 404)

    def test_a_wrong_answer_is_seen(self) -> None:
        for right, wrong in (
            ("<MultiAZ>false</MultiAZ>", "<MultiAz>false</MultiAz>"),
            ("false", "False"),
            ("05.678Z", "05.678"),
            (">20<", ">20 GiB<"),
            ("DBInstance>", "member>"),
            ("DescribeDBInstancesResult", "Result"),
        ):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                self.check(ANSWER.replace(right, wrong))

    def test_a_wrong_error_is_seen(self) -> None:
        with self.assertRaises(AssertionError):
            self.check(ERROR, 400)
        with self.assertRaises(AssertionError):
            self.check(ERROR.replace("DBInstanceNotFound", "DBInstanceNotFoundFault"), 404)


class Model(unittest.TestCase):
    """What local RDS takes for the service model."""

    def test_it_is_the_service_model(self) -> None:
        text = MODEL.read_text()
        expected = extract_model.extract(
            extract_model.service_model(), extract_model.actions(text)
        )
        self.maxDiff = None
        self.assertEqual(text, expected)


if __name__ == "__main__":
    unittest.main()
