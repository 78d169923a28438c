"""What has to be known of the Docker engine: whether it runs, what it is, and how a container reaches this machine."""

from __future__ import annotations

import ipaddress
import json
import platform
import shutil
import subprocess

from infra.build.target import Architecture

HOST = "host.docker.internal"
"""What containers call this machine: of itself with Docker Desktop, by ``--add-host`` elsewhere."""


class NoDockerError(Exception):
    """There is no Docker engine that could run the function. The message says why."""


def architecture() -> Architecture:
    """This machine's architecture, in Lambda's words."""
    return "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"


def require() -> None:
    """Raises ``NoDockerError`` unless an engine answers."""
    if shutil.which("docker") is None:
        raise NoDockerError("there is no docker command here")
    done = _docker("info", "--format", "{{.ServerVersion}}")
    if done.returncode:
        raise NoDockerError(f"docker info says: {done.stderr.strip().splitlines()[-1] if done.stderr else 'nothing'}")


def gateway() -> str | None:
    """The address at which containers find this machine, or ``None`` where the engine has one of its own for it."""
    if "Docker Desktop" in _docker("info", "--format", "{{.OperatingSystem}}").stdout:
        return None
    named = _docker("network", "inspect", "bridge", "--format", "{{json (index .IPAM.Config 0)}}").stdout
    try:
        network = json.loads(named)
        # An older engine names the gateway only once a container ran; it is the network's first address all the same.
        return str(network.get("Gateway") or ipaddress.ip_network(network["Subnet"])[1])
    except (KeyError, TypeError, ValueError):
        raise NoDockerError("the engine's bridge network has no address that containers could call") from None


def has_image(name: str) -> bool:
    """Whether the image is here already, so that it need not be pulled."""
    return _docker("image", "inspect", name).returncode == 0


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["docker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no stranger's words
