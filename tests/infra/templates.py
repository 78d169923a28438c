"""The synthesised templates, as questions a test can ask."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.infra.operators_copy import ROOT, operators_copy

PYTHON = ROOT / ".cache" / "infra" / "bin" / "python"


def app(*options: str, out: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs the synthesis of the tree at ``root``. Tests are skipped where its environment was never built."""
    if not PYTHON.exists():
        pytest.skip("the CDK's environment is not there: `make synth` builds it")
    return subprocess.run(
        [str(PYTHON), "-m", "infra.app", *options],
        cwd=root,
        env={**os.environ, "CDK_OUTDIR": str(out), "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )


def synthesised(folder: Path, *options: str, catalog: object = None) -> Templates:
    """The templates of these options, and of a tool catalog if it is not the one that is here.

    They are made once, whoever of several test processes comes first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # Beside the folder: the CDK empties it.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            with TemporaryDirectory() as copy:
                root = ROOT if catalog is None else operators_copy(Path(copy), catalog)
                done = app(*options, out=folder, root=root)
            assert done.returncode == 0, done.stderr
            (folder / "done").touch()
    return Templates(folder)


@dataclass(frozen=True)
class Resource:
    """One resource of a template."""

    id: str
    type: str
    properties: Mapping[str, Any]
    whole: Mapping[str, Any]


@dataclass(frozen=True)
class Templates:
    """Every stack's template in one folder."""

    folder: Path

    @property
    def stacks(self) -> list[str]:
        return sorted(path.name.removesuffix(".template.json") for path in self.folder.glob("*.template.json"))

    def text(self, stack: str) -> str:
        return (self.folder / f"{stack}.template.json").read_text()

    def all(self, kind: str, stack: str | None = None) -> list[Resource]:
        """Every resource of type ``kind``."""
        return [resource for resource in self.resources(stack) if resource.type == kind]

    def one(self, kind: str, stack: str | None = None, **properties: object) -> Resource:
        """The only resource of type ``kind`` with these properties."""
        found = [
            resource
            for resource in self.all(kind, stack)
            if all(resource.properties.get(name) == value for name, value in properties.items())
        ]
        assert len(found) == 1, f"{len(found)} of {kind} {properties}"
        return found[0]

    def resources(self, stack: str | None = None) -> Iterator[Resource]:
        for name in [stack] if stack else self.stacks:
            for key, value in json.loads(self.text(name))["Resources"].items():
                yield Resource(key, value["Type"], value.get("Properties", {}), value)

    def statements(self, role: str, stack: str = "Gateway") -> list[Mapping[str, Any]]:
        """Every statement of the policies attached to the role with this logical id."""
        return [
            statement
            for policy in self.all("AWS::IAM::Policy", stack)
            if {"Ref": role} in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
        ]


def listed(value: object) -> list[Any]:
    """A list, of one element where the template has just that."""
    return value if isinstance(value, list) else [value]
