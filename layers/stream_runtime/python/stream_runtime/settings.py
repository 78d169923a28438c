"""What the environment says about this function, read once into a frozen value.

The mapping is an argument: only `__main__` looks at the process's own. Nothing here is changed later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(Exception):
    """A variable of the environment is missing or cannot be read. The message names it."""

    expected = True


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the runtime takes from its environment. Durations are seconds."""

    runtime_api: str
    """`host:port` of the Runtime API."""
    handler: str
    """`module.attribute`, as in the function's configuration."""
    task_root: str | None = None
    function_name: str = ""
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 0
    log_group_name: str = ""
    log_stream_name: str = ""
    concurrency: int = 1
    """How many invocations this environment takes at once; above 1 only on Lambda Managed Instances."""
    snapstart: bool = False
    heartbeat_after: float = 15.0
    """A stream that has been silent for so long gets a heartbeat. Proxies commonly hang up after 30 s."""
    deadline_reserve: float = 0.5
    """How long before its deadline an invocation is stopped, so that there is time to say so (at most a quarter of
    what it has)."""
    shutdown_budget: float = 0.4
    """Lambda allows 500 ms between SIGTERM and SIGKILL when an internal extension is registered."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], handler: str | None = None) -> Settings:
        """Read the variables Lambda sets, and our own `STREAM_RUNTIME_*`.

        Raises SettingsError naming the variable that is missing or wrong.
        """
        runtime_api = environment.get("AWS_LAMBDA_RUNTIME_API", "")
        if not runtime_api:
            raise SettingsError(
                "AWS_LAMBDA_RUNTIME_API is not set: this process must be started by Lambda, by an "
                "emulator, or by `python -m stream_runtime.local`"
            )
        handler = handler or environment.get("_HANDLER", "")
        if not handler:
            raise SettingsError("_HANDLER is not set: name the function's handler, for example app.handler")
        return cls(
            runtime_api=runtime_api,
            handler=handler,
            task_root=environment.get("LAMBDA_TASK_ROOT") or None,
            function_name=environment.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=environment.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            memory_limit_in_mb=_whole(environment, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", 0, least=0),
            log_group_name=environment.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=environment.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
            concurrency=_whole(environment, "AWS_LAMBDA_MAX_CONCURRENCY", 1, least=1),
            snapstart=environment.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start",
            heartbeat_after=_seconds(environment, "STREAM_RUNTIME_HEARTBEAT_SECONDS", 15.0),
            deadline_reserve=_seconds(environment, "STREAM_RUNTIME_DEADLINE_RESERVE_SECONDS", 0.5),
        )


def _whole(environment: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise SettingsError(f"{name} is {text!r}: a whole number of at least {least} is expected")
    return int(text)


def _seconds(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise SettingsError(f"{name} is {text!r}: a number of seconds above 0 is expected")
    return seconds
