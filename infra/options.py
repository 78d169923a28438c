"""What an operator chooses at deployment: the CDK context, read once into a frozen value.

What nobody has chosen has its default here. ``cdk.json`` may set any option for good, and an option on the command line
wins over both. A wrong value stops the synthesis with a message that names the option, before anything reaches AWS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias, get_type_hints

from infra import option_values as values
from infra.build.target import Architecture
from keyway.chat import ExecutorKind

Shape: TypeAlias = Literal["functions", "managed-instances"]
UrlAuth: TypeAlias = Literal["AWS_IAM", "NONE"]


class OptionError(ValueError):
    """A deployment option holds something it must not. The message names the option."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one deployment, each with what reads a value of it.

    In the context each has its name here in camel case: ``alarm_email`` is ``alarmEmail``.
    """

    stage: Annotated[str, values.stage] = "dev"
    """Part of every name, and the ``Environment`` dimension of every metric."""

    architecture: Annotated[Architecture, values.one_of(Architecture)] = "arm64"
    """Of both functions and their layers."""

    shape: Annotated[Shape, values.one_of(Shape)] = "functions"
    """``functions``, or ``managed-instances`` for steady high volume."""

    memory: Annotated[int, values.whole(128, 10_240)] = 512
    """MB of the gateway function (of ``functions``; Managed Instances begin at 2,048)."""

    snap_start: Annotated[bool, values.boolean] = False
    """Start new environments from a snapshot."""

    reserved_concurrency: Annotated[int | None, values.whole(1, 100_000)] = None
    """The most environments the gateway may have: the ceiling of a bad day's bill."""

    url_auth: Annotated[UrlAuth, values.one_of(UrlAuth)] = "AWS_IAM"
    """Who may call the function URL. ``NONE`` is everybody who finds it."""

    hosted: Annotated[bool, values.boolean] = True
    """Platform keys may be used at all (``KEYWAY_HOSTED``)."""

    cost_multiplier: Annotated[Decimal, values.decimal] = Decimal(1)
    """What the provider's price is multiplied with (``COST_MULTIPLIER``)."""

    provider_base_urls: Annotated[Mapping[str, str], values.addresses] = field(default_factory=dict)
    """Addresses by provider id that win over the catalog's (``PROVIDER_BASE_URLS``)."""

    tool_executors: Annotated[tuple[ExecutorKind, ...], values.executors] = ()
    """Kinds of tool that callers may bring with a request (``TOOL_EXECUTORS``)."""

    tool_functions: Annotated[tuple[str, ...], values.functions] = ()
    """ARNs of the Lambda functions that callers' tools may be run by (``TOOL_FUNCTIONS``)."""

    log_retention_days: Annotated[int, values.retention] = 90
    """Days that logs, and with them the ledger, are kept."""

    absorbed_cost_limit: Annotated[Decimal, values.decimal] = Decimal(5)
    """US dollars per hour of failed exchanges' cost above which an alarm sounds."""

    alarm_email: Annotated[str | None, values.email] = None
    """Who is told of alarms; nobody when there is none."""

    retain: Annotated[bool, values.boolean] = True
    """Keys, table and logs outlive their stacks."""

    @classmethod
    def from_context(cls, get: Callable[[str], object]) -> Options:
        """The options in a CDK context. ``get`` gives a key's value, or ``None``; an empty one counts as none.

        Raises:
            OptionError: A value is wrong, or two do not go together.
        """
        chosen: dict[str, Any] = {}
        for name, kind in get_type_hints(cls, include_extras=True).items():
            key, (parse,) = _key(name), kind.__metadata__
            value = get(key)
            if value is None or value == "":
                continue
            try:
                chosen[name] = parse(value)
            except ValueError as error:
                raise OptionError(f"{key}: {error}") from None
        options = cls(**chosen)
        options._check()
        return options

    def _check(self) -> None:
        if self.shape == "managed-instances":
            if self.snap_start:
                raise OptionError("snapStart: Managed Instances have no cold starts to shorten; leave it off")
            if self.reserved_concurrency is not None:
                raise OptionError("reservedConcurrency: the ceiling of Managed Instances is their number of vCPUs")
        if self.tool_functions and "lambda" not in self.tool_executors:
            raise OptionError(
                "toolFunctions: callers' tools may be run by these only where toolExecutors has lambda among its kinds"
            )


def _key(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


KEYS = frozenset(_key(option.name) for option in fields(Options))
"""Every option's name in the context."""
