"""What an exchange needs of the outside, as ports. The implementations are in ``outside/``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from keyway.billing.records import Record, Subject
from keyway.billing.settlement import Statement
from keyway.http_request import HttpRequest
from keyway.keys.credential import Credential
from keyway.report import Report


class UpstreamAnswer(Protocol):
    """A provider's answer whose body is still arriving."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""

    async def read(self) -> bytes:
        """What the next network read brings; ``b""`` at the end. Raises ``ProviderUnavailable`` when it breaks."""
        ...

    async def aclose(self) -> None:
        """Gives the connection back, or closes it when the answer was not read to its end. May be called again."""
        ...


class Upstream(Protocol):
    """The way to the providers."""

    async def send(self, request: HttpRequest) -> UpstreamAnswer:
        """Sends ``request``; returns when the answer's head is there. Raises ``ProviderUnavailable``."""
        ...


class Signer(Protocol):
    """Signs requests to AWS."""

    async def sign(
        self, request: HttpRequest, credential: Credential, *, region: str, access_key_id: str | None
    ) -> HttpRequest:
        """``request`` with the headers that prove who sends it. Raises ``AuthFailed``, ``ProviderUnavailable``."""
        ...


class Journal(Protocol):
    """Where exchanges are written down. Never raises, never waits."""

    def refused(self, report: Report, error: BaseException) -> None:
        """A request that was never sent: a log line, no metric."""
        ...

    def record(self, report: Report, records: Sequence[Record], subject: Subject | None = None) -> None:
        """Metrics of an exchange that goes on: about its model, or about ``subject``."""
        ...

    def tool_bug(self, report: Report, error: BaseException) -> None:
        """A tool could not be run, because of a bug of ours."""
        ...

    def settled(self, report: Report, statement: Statement, error: BaseException | None) -> None:
        """The metrics and the one log line of an exchange that ended."""
        ...
