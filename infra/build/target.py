"""What the layers are built for: Lambda's Python and its two architectures, in the words of wheels.

Lambda's python3.13 runs on Amazon Linux 2023, whose C library is glibc 2.34 (AWS's "Lambda runtimes" page); a wheel
that asks for 2.28 or less is safe there. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Architecture: TypeAlias = Literal["arm64", "x86_64"]

PYTHON = (3, 13)
GLIBC = (2, 28)

_MACHINES: dict[str, str] = {"arm64": "aarch64", "x86_64": "x86_64"}
_MANYLINUX = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_PLATFORM = re.compile(r"(manylinux1|manylinux2010|manylinux2014|manylinux_(\d+)_(\d+))_(\w+)")


@dataclass(frozen=True, slots=True)
class Target:
    """One architecture of Lambda's Python."""

    architecture: Architecture

    @property
    def machine(self) -> str:
        """The architecture as wheels call it."""
        return _MACHINES[self.architecture]

    @property
    def pip_options(self) -> tuple[str, ...]:
        """What makes pip choose wheels for the target instead of this machine."""
        platforms = (f"manylinux_{GLIBC[0]}_{GLIBC[1]}", "manylinux_2_17", "manylinux2014")
        return (
            *(f"--platform={platform}_{self.machine}" for platform in platforms),
            f"--python-version={PYTHON[0]}.{PYTHON[1]}",
            "--implementation=cp",
            "--only-binary=:all:",
        )

    def accepts(self, wheel: str) -> bool:
        """Whether the wheel with this file name runs on the target, judged by its tags alone."""
        pythons, abis, platforms = wheel.removesuffix(".whl").split("-")[-3:]
        return any(
            self._interpreter(python, abi) and self._platform(platform)
            for python in pythons.split(".")
            for abi in abis.split(".")
            for platform in platforms.split(".")
        )

    @staticmethod
    def _interpreter(python: str, abi: str) -> bool:
        tag = re.fullmatch(r"(py|cp)(\d)(\d*)", python)
        if tag is None or int(tag[2]) != PYTHON[0]:
            return False
        minor = int(tag[3] or 0)
        if abi == f"cp{PYTHON[0]}{PYTHON[1]}":
            return tag[1] == "cp" and minor == PYTHON[1]
        return abi in ("none", "abi3") and minor <= PYTHON[1]

    def _platform(self, platform: str) -> bool:
        if platform == "any":
            return True
        tag = _PLATFORM.fullmatch(platform)
        if tag is None or tag[4] != self.machine:
            return False
        return (_MANYLINUX.get(tag[1]) or (int(tag[2]), int(tag[3]))) <= GLIBC
