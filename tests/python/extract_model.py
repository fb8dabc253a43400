"""Writes the part of RDS's service model that local RDS speaks, from botocore's copy of it.

    python extract_model.py MODEL [ACTION ...]

rewrites MODEL with the actions that it lists already and those that are named. Without botocore
there is no telling what is on the wire, so the file is made once and kept; a test makes it again
and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

import botocore.session
from botocore.model import ListShape, ServiceModel, Shape, StructureShape

HEADER = """\
# The part of the RDS service model (API version 2014-10-31) that local RDS speaks: names, types and order of members
# as they are on the wire. "!" marks a required member; "list X T" is a list whose elements are called X; "errors" are
# the codes that an operation may answer with.
# Actions that RDS has and local RDS doesn't serve are listed as "unserved".
"""
SCALARS = {"long": "integer", "float": "double"}


def service_model() -> ServiceModel:
    """The model of RDS that the installed botocore carries."""
    return botocore.session.get_session().get_service_model("rds")


def actions(text: str) -> list[str]:
    """The actions that a model file lists as served."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("operation ")]


def extract(model: ServiceModel, served: list[str]) -> str:
    """The model file for these actions."""
    operations = [model.operation_model(name) for name in served]
    lines = []
    for operation in operations:
        output = operation.output_shape
        result = output.name if output is not None else "-"
        lines.append(f"operation {operation.name} {operation.input_shape.name} {result}")
        codes = sorted(shape.error_code for shape in operation.error_shapes)
        if codes:
            lines.append(f"errors {operation.name} {' '.join(codes)}")
    lines.extend(_structures(operations))
    errors = {shape.error_code: shape for each in operations for shape in each.error_shapes}
    for code, shape in sorted(errors.items()):
        lines.append(f"error {code} {shape.metadata['error']['httpStatusCode']}")
    unserved = sorted(set(model.operation_names) - set(served))
    lines.extend(f"unserved {name}" for name in unserved)
    return HEADER + "\n".join(lines) + "\n"


def _structures(operations: list) -> list[str]:
    queue: list[StructureShape] = []
    for operation in operations:
        output = operation.output_shape
        queue.append(operation.input_shape)
        if output is not None:
            queue.append(output)
    lines, seen = [], set()
    while queue:
        structure = queue.pop(0)
        if structure.name in seen:
            continue
        seen.add(structure.name)
        lines.append(f"structure {structure.name}")
        for name, member in structure.members.items():
            if member.type_name == "map":
                continue  # The only one is an integration's encryption context.
            mark = "!" if name in structure.required_members else ""
            lines.append(f"  {member.serialization.get('name', name)}{mark} {_kind(member)}")
            nested = _nested(member)
            if nested is not None:
                queue.append(nested)
    return lines


def _kind(shape: Shape) -> str:
    if isinstance(shape, ListShape):
        return f"list {shape.member.serialization.get('name', 'member')} {_kind(shape.member)}"
    if isinstance(shape, StructureShape):
        return shape.name
    return SCALARS.get(shape.type_name, shape.type_name)


def _nested(shape: Shape) -> StructureShape | None:
    if isinstance(shape, ListShape):
        return _nested(shape.member)
    return shape if isinstance(shape, StructureShape) else None


def main() -> None:
    """Rewrites the model file."""
    path = Path(sys.argv[1])
    served = actions(path.read_text())
    served.extend(name for name in sys.argv[2:] if name not in served)
    path.write_text(extract(service_model(), served))


if __name__ == "__main__":
    main()
