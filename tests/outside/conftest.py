"""AWS on this machine: moto over HTTP, behind a proxy that fails on demand, and clocks that tests move."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import boto3
import pytest
from moto.server import ThreadedMotoServer

from keyway.outside.aws import Aws
from tests.outside.servers import LEAK, AppConfigData, Proxy

Operator: TypeAlias = Callable[[str], Any]

QUICK: dict[str, Any] = {"region": "eu-west-1", "connect_timeout": 0.5, "attempts": 1}


class Clock:
    """Both clocks of a machine; ``frozen`` stops the monotonic one, as a frozen environment may."""

    def __init__(self) -> None:
        self.monotonic = 1_000.0
        self.wall = 1_700_000_000.0

    def __call__(self) -> tuple[float, float]:
        return self.monotonic, self.wall

    def advance(self, seconds: float, *, frozen: bool = False) -> None:
        self.wall += seconds
        if not frozen:
            self.monotonic += seconds


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    """One session for all tests: reading the services' models is what takes boto3 so long."""
    return boto3.session.Session("test", "test", region_name="eu-west-1")


@pytest.fixture(scope="session")
def operator(moto: tuple[str, int], session: boto3.session.Session) -> Iterator[Operator]:
    """Clients that speak to moto directly, as an operator would."""
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = session.client(service, endpoint_url=f"http://{moto[0]}:{moto[1]}")
        return clients[service]

    yield client
    for made in clients.values():
        made.close()


@pytest.fixture
def proxy(moto: tuple[str, int]) -> Iterator[Proxy]:
    server = Proxy(moto)
    yield server
    server.close()


@pytest.fixture
def appconfig() -> Iterator[AppConfigData]:
    server = AppConfigData()
    yield server
    server.close()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def aws(proxy: Proxy, appconfig: AppConfigData, session: boto3.session.Session) -> Iterator[Aws]:
    endpoints = dict.fromkeys(("secretsmanager", "dynamodb", "kms"), proxy.url)
    made = Aws(endpoints={**endpoints, "appconfigdata": appconfig.url}, read_timeout=20, session=session, **QUICK)
    yield made
    for server in (proxy, appconfig):
        server.permit()
    made.stop()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _nothing_leaks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, no log record repeats a secret."""
    caplog.set_level(logging.DEBUG, "keyway")
    yield
    for record in caplog.get_records("call"):
        if record.name == "keyway":
            assert LEAK not in record.getMessage() + str(record.__dict__)


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What Keyway has logged so far."""
    return lambda: [record.getMessage() for record in caplog.records if record.name == "keyway"]


async def until(happened: Callable[[], bool]) -> None:
    """Returns once ``happened``; the test's own time limit is the end of patience."""
    while not happened():  # noqa: ASYNC110  what is waited for happens in a server's thread
        await asyncio.sleep(0.001)
