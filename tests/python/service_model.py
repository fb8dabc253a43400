"""Holds a server's answers against botocore's service model, element by element.

botocore forgives: it skips elements that the model doesn't have, and takes any error code. A server
that misnames a member would just seem not to send it. `watch` makes a client strict.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from botocore.model import ListShape, OperationModel, Shape, StructureShape

NAMESPACE = "{http://rds.amazonaws.com/doc/2014-10-31/}"
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

# Codes that every operation may answer with; the model lists only an operation's own.
COMMON_CODES = {
    "InternalFailure",
    "InvalidParameterCombination",
    "InvalidParameterValue",
    "MissingParameter",
    "ServiceUnavailable",
    "Throttling",
    "ValidationError",
}


def watch(client: Any) -> None:
    """Makes every answer that this client gets an error where it is unlike the model."""
    client.meta.events.register("before-parse.rds", check)


def check(
    operation_model: OperationModel, response_dict: dict[str, Any], **_others: Any
) -> None:
    """Fails where the answer to an operation is unlike the model."""
    root = ElementTree.fromstring(response_dict["body"])
    where = operation_model.name
    if response_dict["status_code"] >= 300:
        _check_error(operation_model, root, response_dict["status_code"])
        return
    assert root.tag == f"{NAMESPACE}{where}Response", root.tag
    names = [child.tag.removeprefix(NAMESPACE) for child in root]
    assert names[-1] == "ResponseMetadata", f"{where}: {names}"
    output = operation_model.output_shape
    if output is None:
        return
    result = root.find(f"{NAMESPACE}{output.serialization['resultWrapper']}")
    assert result is not None, f"{where} has no result: {names}"
    _check_shape(where, output, result)


def _check_error(
    operation_model: OperationModel, root: ElementTree.Element, status: int
) -> None:
    code = root.findtext(f"{NAMESPACE}Error/{NAMESPACE}Code")
    assert code, f"{operation_model.name}: an error without a code"
    if code in COMMON_CODES:
        return
    errors = {shape.error_code: shape for shape in operation_model.error_shapes}
    assert code in errors, f"{operation_model.name} can't answer {code}"
    expected = errors[code].metadata["error"]["httpStatusCode"]
    assert status == expected, f"{operation_model.name}: {code} with {status}"


def _check_shape(where: str, shape: Shape, element: ElementTree.Element) -> None:
    if isinstance(shape, StructureShape):
        _check_structure(where, shape, element)
    elif isinstance(shape, ListShape):
        item = shape.member.serialization.get("name", "member")
        for child in element:
            assert child.tag == NAMESPACE + item, f"{where} has a {child.tag}, not {item}"
            _check_shape(f"{where}.{item}", shape.member, child)
    else:
        _check_scalar(where, shape.type_name, element.text or "")


def _check_structure(where: str, shape: StructureShape, element: ElementTree.Element) -> None:
    members = {
        NAMESPACE + member.serialization.get("name", name): member
        for name, member in shape.members.items()
    }
    seen = set()
    for child in element:
        assert child.tag in members, f"{where} has no {child.tag} in the model"
        assert child.tag not in seen, f"{where} has {child.tag} twice"
        seen.add(child.tag)
        name = child.tag.removeprefix(NAMESPACE)
        _check_shape(f"{where}.{name}", members[child.tag], child)


def _check_scalar(where: str, kind: str, text: str) -> None:
    valid = {
        "boolean": lambda: text in ("true", "false"),
        "double": lambda: re.fullmatch(r"-?\d+(\.\d+)?", text),
        "integer": lambda: re.fullmatch(r"-?\d+", text),
        "long": lambda: re.fullmatch(r"-?\d+", text),
        "string": lambda: True,
        "timestamp": lambda: TIMESTAMP.fullmatch(text),
    }
    assert valid[kind](), f"{where} is no {kind}: {text!r}"
