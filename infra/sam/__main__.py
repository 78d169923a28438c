"""``python -m infra.sam``: synthesises, then runs each event of the gateway under ``sam local invoke``.

Exits with 0 when both were answered and their metrics written, or when there is no Docker; with 1 otherwise.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from infra.build.artifacts import CACHE, ROOT
from infra.local import terminal
from infra.local.aws import LocalAws
from infra.local.provider import ScriptedProvider
from infra.local.seed import HOSTED_KEYS, SeededAccount
from infra.sam import docker
from infra.sam.relay import Relay
from infra.sam.template import prepared

EVENTS = ROOT / "functions" / "gateway" / "events"
OUT = CACHE / "sam.out"


class FailedError(Exception):
    """A command failed, or an answer is not what it should be."""


async def main() -> int:
    """Gives the exit code."""
    try:
        docker.require()
    except docker.NoDockerError as error:
        terminal.say(f"sam: skipped, because it needs Docker: {error}")
        return 0
    try:
        await _run()
    except (FailedError, docker.NoDockerError) as error:
        terminal.complain(f"sam: {error}")
        return 1
    return 0


async def _run() -> None:
    terminal.heading(f"Synthesising for this machine ({docker.architecture()})")
    await _command(
        [str(CACHE / "infra" / "bin" / "python"), "-m", "infra.app", f"architecture={docker.architecture()}"],
        CDK_OUTDIR=str(OUT),
    )
    template, function = prepared(OUT / "Gateway.template.json")
    async with AsyncExitStack() as running:
        aws = running.enter_context(LocalAws())
        account = running.enter_context(SeededAccount(aws.url, aws.environment, name="keyway-sam"))
        provider = await running.enter_async_context(ScriptedProvider(keys=_keys()))
        variables = {
            **account.environment,
            "AWS_ENDPOINT_URL": await _reachable(running, aws.url),
            "PROVIDER_BASE_URLS": json.dumps(
                {name: await _reachable(running, url) for name, url in provider.base_urls.items()}
            ),
        }
        for event in sorted(EVENTS.glob("*.json")):
            terminal.heading(f"sam local invoke {function} --event {event.relative_to(ROOT)}")
            await _invoke(template, function, event, variables, aws.environment)
    terminal.heading("Both events were answered in the container, and their metrics written.")


async def _invoke(
    template: Path, function: str, event: Path, variables: dict[str, str], credentials: dict[str, str]
) -> None:
    image = f"public.ecr.aws/lambda/python:3.13-{docker.architecture()}"
    with TemporaryDirectory() as folder:
        settings = Path(folder) / "variables.json"
        settings.write_text(json.dumps({function: variables}))
        options = [f"--template={template}", f"--event={event}", f"--env-vars={settings}", "--region=us-east-1"]
        if docker.gateway() is not None:
            options.append(f"--add-host={docker.HOST}:{docker.gateway()}")
        if docker.has_image(image):
            options.append("--skip-pull-image")
        keys = {name: value for name, value in credentials.items() if name != "AWS_ENDPOINT_URL"}
        command = [str(CACHE / "sam" / "bin" / "sam"), "local", "invoke", function, *options]
        answer, log = await _command(command, SAM_CLI_TELEMETRY="0", SAM_CLI_CONTAINER_CONNECTION_TIMEOUT="60", **keys)
    # What the container writes begins here; before it SAM tells what it builds.
    written = log[max(log.find("START RequestId"), 0) :].splitlines()
    metrics = [line for line in written if '"_aws"' in line]
    for heading, lines in {
        "answer": answer.replace("\0", "·").splitlines(),
        "metrics": metrics,
        "log": [line for line in written if line.strip() and line not in metrics],
    }.items():
        terminal.say(f"  {heading}")
        for line in lines:
            terminal.say(f"    {line}")
    if '"cost"' not in answer:
        raise FailedError(f"{event.name}: the answer tells no cost")
    if not any('"CostCharged"' in line for line in metrics):
        raise FailedError(f"{event.name}: no CostCharged was written")


async def _reachable(running: AsyncExitStack, url: str) -> str:
    """``url`` on loopback, as the container has to call it."""
    parts = urlsplit(url)
    assert parts.port is not None
    address = docker.gateway()
    port = parts.port
    if address is not None:
        port = (await running.enter_async_context(Relay(address, parts.port))).port
    return parts._replace(netloc=f"{docker.HOST}:{port}").geturl()


async def _command(command: list[str], **environment: str) -> tuple[str, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, complaints = await process.communicate()
    if process.returncode:
        raise FailedError(
            f"{Path(command[0]).name} failed ({process.returncode}):\n{complaints.decode(errors='replace')}"
        )
    return out.decode(errors="replace"), complaints.decode(errors="replace")


def _keys() -> dict[str, set[str]]:
    accepted: dict[str, set[str]] = {}
    for name, key in HOSTED_KEYS.items():
        accepted.setdefault(name.partition("_")[0].lower(), set()).add(key)
    return accepted


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
