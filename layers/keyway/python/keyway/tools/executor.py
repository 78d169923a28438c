"""What runs a tool, as a port, and how it says that it could not. The implementations are in ``outside/``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from keyway.chat import Caller, HttpExecutor, LambdaExecutor


@dataclass(frozen=True, slots=True)
class Key:
    """The secret that a tool is run with, and the header it goes into; without one it is among the arguments."""

    secret: str = field(repr=False)
    header: str | None = None
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one tool.

    Attributes:
        tool: The tool's id.
        executor: How it is run.
        arguments: What it is run with. They and the executor's headers may hold a key, so neither is printed.
        key: The key it is run with, if any. A key without a header is one that is among the arguments; it is named here
            all the same, so that it is kept out of what is told.
        trusted: The executor is the operator's. A caller's may reach public addresses only.
        place: The executor's place in the request (``tools[0].executor``), named when its address is refused.
        max_response_bytes: The longest answer that is read.
        caller, request_id: For whom, and for which request.
    """

    tool: str
    executor: HttpExecutor | LambdaExecutor = field(repr=False)
    arguments: Mapping[str, object] = field(repr=False)
    key: Key | None
    trusted: bool
    place: str
    max_response_bytes: int
    caller: Caller = field(repr=False)
    request_id: str


class ToolFailure(Exception):  # noqa: N818 - a tool that failed is an outcome of a call, not an error of ours
    """The tool could not do what was asked.

    Attributes:
        message: For the model and the caller, in one sentence. It holds no secret and no address with a key in it.
        status: The HTTP status it stands for, if any.
        retry_after: Seconds to wait before another try, when the tool named them.
        timed_out: It had not finished in its time.
        words: What the tool itself said, as far as that may be told.
        sent: ``False`` when it was never asked, so that no key was used.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        timed_out: bool = False,
        words: str = "",
        sent: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.timed_out = timed_out
        self.words = words
        self.sent = sent


class Executor(Protocol):
    """Runs tools of one kind."""

    async def run(self, job: Job) -> object:
        """The tool's output, decoded JSON.

        Raises:
            ToolFailure: It could not be run, failed, or did not answer in its time.
        """
        ...
