"""What an operator chooses at deployment: the CDK context, read once into a frozen value.

Defaults are in ``cdk.json``; ``-c stage=prod`` on the command line wins. A wrong value stops the synthesis with a
message that names the option, before anything reaches AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar, get_args

from pydantic import ValidationError

from infra.build.target import Architecture
from keyway.chat import LambdaExecutor

T = TypeVar("T")

Shape = Literal["functions", "managed-instances"]
UrlAuth = Literal["AWS_IAM", "NONE"]
ToolExecutor = Literal["http", "lambda"]

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 3653)
"""Days for which CloudWatch Logs can be told to keep a log group."""


KEYS = frozenset(
    {
        "stage", "architecture", "shape", "memory", "snapStart", "reservedConcurrency", "urlAuth", "hosted",
        "costMultiplier", "providerBaseUrls", "toolExecutors", "toolFunctions", "logRetentionDays", "absorbedCostLimit",
        "alarmEmail", "retain",
    }
)  # fmt: skip
"""Every option's name in the context."""


_LONGEST = 3_000
"""Characters of ``toolFunctions``."""


class OptionError(ValueError):
    """A deployment option holds something it must not. The message names the option."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one deployment; each is a context key, in camel case.

    Attributes:
        stage: Part of every name, and the ``Environment`` dimension of every metric.
        architecture: Of both functions and their layers.
        shape: ``functions``, or ``managed-instances`` for steady high volume.
        memory: MB of the gateway function (of ``functions``; Managed Instances begin at 2,048).
        snap_start: Start new environments from a snapshot.
        reserved_concurrency: The most environments the gateway may have: the ceiling of a bad day's bill.
        url_auth: Who may call the function URL. ``NONE`` is everybody who finds it.
        hosted: Platform keys may be used at all (``KEYWAY_HOSTED``).
        cost_multiplier: What the provider's price is multiplied with (``COST_MULTIPLIER``).
        provider_base_urls: Addresses by provider id that win over the catalog's (``PROVIDER_BASE_URLS``).
        tool_executors: Kinds of tool that callers may bring with a request (``TOOL_EXECUTORS``).
        tool_functions: ARNs of the Lambda functions that callers' tools may be run by (``TOOL_FUNCTIONS``).
        log_retention: Days that logs, and with them the ledger, are kept.
        absorbed_cost_limit: US dollars per hour of failed exchanges' cost above which an alarm sounds.
        alarm_email: Who is told of alarms; nobody when empty.
        retain: Keys, table and logs outlive their stacks.
    """

    stage: str = "dev"
    architecture: Architecture = "arm64"
    shape: Shape = "functions"
    memory: int = 512
    snap_start: bool = False
    reserved_concurrency: int | None = None
    url_auth: UrlAuth = "AWS_IAM"
    hosted: bool = True
    cost_multiplier: Decimal = Decimal(1)
    provider_base_urls: Mapping[str, str] = field(default_factory=dict)
    tool_executors: tuple[ToolExecutor, ...] = ()
    tool_functions: tuple[str, ...] = ()
    log_retention: int = 90
    absorbed_cost_limit: Decimal = Decimal(5)
    alarm_email: str | None = None
    retain: bool = True

    @classmethod
    def from_context(cls, get: Callable[[str], object]) -> Options:
        """The options in a CDK context. ``get`` gives a key's value, or ``None``.

        Raises:
            OptionError: A value is wrong, or two do not go together.
        """
        defaults = cls()

        def read(name: str, parse: Callable[[object], T], default: T) -> T:
            value = get(name)
            if value is None or value == "":
                return default
            try:
                return parse(value)
            except (ValueError, TypeError, InvalidOperation) as error:
                said = str(error) if isinstance(error, OptionError) else "cannot be read"
                raise OptionError(f"{name}: {said}") from None

        options = cls(
            stage=read("stage", _stage, defaults.stage),
            architecture=read("architecture", _one_of(Architecture), defaults.architecture),
            shape=read("shape", _one_of(Shape), defaults.shape),
            memory=read("memory", _whole(128, 10_240), defaults.memory),
            snap_start=read("snapStart", _boolean, defaults.snap_start),
            reserved_concurrency=read("reservedConcurrency", _whole(1, 100_000), None),
            url_auth=read("urlAuth", _one_of(UrlAuth), defaults.url_auth),
            hosted=read("hosted", _boolean, defaults.hosted),
            cost_multiplier=read("costMultiplier", _decimal, defaults.cost_multiplier),
            provider_base_urls=read("providerBaseUrls", _addresses, defaults.provider_base_urls),
            tool_executors=read("toolExecutors", _executors, defaults.tool_executors),
            tool_functions=read("toolFunctions", _functions, defaults.tool_functions),
            log_retention=read("logRetentionDays", _retention, defaults.log_retention),
            absorbed_cost_limit=read("absorbedCostLimit", _decimal, defaults.absorbed_cost_limit),
            alarm_email=read("alarmEmail", _email, None),
            retain=read("retain", _boolean, defaults.retain),
        )
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


def _stage(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", value):
        raise OptionError("must be 1 to 16 lower-case letters, digits and hyphens, beginning with a letter")
    return value


def _one_of(literal: Any) -> Callable[[object], Any]:
    allowed = get_args(literal)

    def parse(value: object) -> object:
        if value not in allowed:
            raise OptionError(f"must be one of {', '.join(allowed)}")
        return value

    return parse


def _whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise OptionError(f"must be a whole number from {least} to {most}")
        return number

    return parse


def _boolean(value: object) -> bool:
    if value in (True, "true"):
        return True
    if value in (False, "false"):
        return False
    raise OptionError("must be true or false")


def _decimal(value: object) -> Decimal:
    wrong = OptionError("must be a decimal number, zero or more, such as 1.25")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise wrong from None
    if isinstance(value, bool) or not number.is_finite() or number < 0:
        raise wrong
    return number


def _addresses(value: object) -> Mapping[str, str]:
    wrong = OptionError("must be a JSON object of provider id to base URL")
    try:
        parsed = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise wrong from None
    if not isinstance(parsed, dict):
        raise wrong
    return parsed


def _executors(value: object) -> tuple[ToolExecutor, ...]:
    kind = _one_of(ToolExecutor)
    return tuple(kind(entry) for entry in _entries(value))


def _functions(value: object) -> tuple[str, ...]:
    arns = _entries(value)
    for arn in arns:
        try:
            LambdaExecutor(type="lambda", function=arn)
        except ValidationError:
            example = "arn:aws:lambda:us-east-1:123456789012:function:clock"
            raise OptionError(f"{arn!r} is not the ARN of a Lambda function, such as {example}") from None
    if len(",".join(arns)) > _LONGEST:
        raise OptionError(
            f"are too many: more than {_LONGEST:,} characters, and a function's variables hold 4 KB in all"
        )
    return arns


def _entries(value: object) -> tuple[str, ...]:
    """A list of texts; on the command line with commas between them, or as JSON. None of them twice."""
    wrong = OptionError("must be a list, with commas between its entries")
    entries = value
    if isinstance(value, str):
        try:
            entries = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except ValueError:
            raise wrong from None
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise wrong
    return tuple(dict.fromkeys(entry.strip() for entry in entries))


def _retention(value: object) -> int:
    days = _whole(1, RETENTIONS[-1])(value)
    if days not in RETENTIONS:
        raise OptionError(f"must be one of {', '.join(map(str, RETENTIONS))}")
    return days


def _email(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise OptionError("must be an e-mail address")
    return value
