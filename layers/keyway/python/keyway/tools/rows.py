"""What a row of the operator's catalog holds: what runs a tool, whose key it needs, its price, and its rate limit.

A row that fits its description and still could not work is refused: a template that cannot be filled, an expression
that is none, a key that would go nowhere, a dimension without a name of its own. What templates may say is
``template.py``, and prices ``expression.py``; rows are read, and compared with one another, in ``catalog.py``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from keyway.chat import EXECUTOR_KINDS, CamelModel, ExecutorSpec, HttpExecutor, JsonObject, Name, Text, no_parameters
from keyway.tools.expression import expression
from keyway.tools.template import check_template, header_problem


def _spelt(pattern: str, wanted: str) -> AfterValidator:
    """A text that matches ``pattern``, in words for who wrote another one."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {wanted}")
        return text

    return AfterValidator(check)


def _one_of(field: str, *kinds: str) -> BeforeValidator:
    """An object that says in ``field`` of which kind it is."""

    def check(row: object) -> object:
        if not isinstance(row, dict) or row.get(field) in kinds:
            return row
        raise ValueError(f"needs a {field}: {', '.join(kinds[:-1])} or {kinds[-1]}")

    return BeforeValidator(check)


def _dollars(amount: object) -> object:
    if isinstance(amount, str) and not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,15})?", amount):
        raise ValueError('must be an amount in US dollars, such as "0.005"')
    return amount


def _expression(text: str) -> str:
    expression(text)
    return text


KINDS: Mapping[str, Sequence[str]] = {
    "pricing": ("per_request", "custom"),
    "rateLimit": ("none", "per_request", "custom"),
}
"""Members of a row that may be of several kinds."""

Dollars = Annotated[Decimal, Field(strict=False, ge=0, lt=10**9, allow_inf_nan=False), BeforeValidator(_dollars)]
"""US dollars, written as a string (``"0.005"``) or as a number."""

Formula = Annotated[Text, AfterValidator(_expression)]
"""An expression over ``params`` and ``response`` (``expression.py``)."""

RESPONSE_BYTES = 1_048_576
"""The longest answer of a tool, where nothing else is said."""

PerMinute = Annotated[int, Field(gt=0, le=1_000_000)]
Burst = Annotated[float, Field(ge=1, le=1_000)]


class KeyHeader(CamelModel):
    """The header that a key goes into, after ``prefix``."""

    name: Annotated[str, Field(max_length=64)]
    prefix: Annotated[str, Field(max_length=64), _spelt(r"[\x20-\x7e]*", "printable ASCII characters")] = ""

    @field_validator("name")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if problem := header_problem(name):
            raise ValueError(problem)
        return name


class PricePerRequest(CamelModel):
    """The same amount for every call that succeeds."""

    type: Literal["per_request"]
    cost: Dollars


class PriceByExpression(CamelModel):
    """An amount in US dollars that depends on the call."""

    type: Literal["custom"]
    cost: Formula


Pricing: TypeAlias = Annotated[
    PricePerRequest | PriceByExpression, Field(discriminator="type"), _one_of("type", *KINDS["pricing"])
]


class Unlimited(CamelModel):
    """As often as anybody likes."""

    mode: Literal["none"] = "none"


class RequestLimit(CamelModel):
    """So many calls a minute for each workspace; a rested bucket holds ``burstMultiplier`` minutes' worth."""

    mode: Literal["per_request"]
    requests_per_minute: PerMinute
    burst_multiplier: Burst = 2.0


class Dimension(CamelModel):
    """Something a call uses up besides itself; ``usage`` is how much."""

    name: Annotated[str, _spelt(r"[A-Za-z0-9_]{1,64}", "1 to 64 letters, digits and underscores")]
    limit_per_minute: PerMinute
    burst_multiplier: Burst = 2.0
    usage: Formula


class CustomLimit(CamelModel):
    """So many calls a minute, and so much of each dimension. A dimension is used up after the call that used it."""

    mode: Literal["custom"]
    requests_per_minute: PerMinute
    burst_multiplier: Burst = 2.0
    dimensions: Annotated[tuple[Dimension, ...], Field(strict=False)]

    @field_validator("dimensions")
    @classmethod
    def _each_once(cls, dimensions: tuple[Dimension, ...]) -> tuple[Dimension, ...]:
        names = [dimension.name for dimension in dimensions]
        if not 1 <= len(names) <= 8:
            raise ValueError("must be 1 to 8 dimensions; without any, the mode is per_request")
        if len(set(names)) < len(names) or "actor_requests" in names:
            raise ValueError("each needs a name of its own, and actor_requests is taken")
        return dimensions


RateLimit: TypeAlias = Annotated[
    Unlimited | RequestLimit | CustomLimit,
    Field(discriminator="mode"),
    _one_of("mode", *KINDS["rateLimit"]),
]


class ToolHosting(CamelModel):
    """Whose key a tool is run with, and what is owed when it is the platform's.

    Keys are found as for models: the workspace's own (``byokProvider``), the caller's (``params`` under
    ``apiKeyParam``), then the platform's pool (``keyPrefix``). The key goes into ``header``, or without one into the
    argument named ``apiKeyParam``. ``enabled`` is an expression over ``params``; where it is false, the tool is run
    without any key of ours.
    """

    key_prefix: Annotated[
        str, _spelt(r"[A-Z][A-Z0-9_]{0,99}", "capital letters, digits and underscores, such as SEARCH_API_KEY")
    ]
    api_key_param: Annotated[
        str, _spelt(r"[A-Za-z_][A-Za-z0-9_]{0,63}", "1 to 64 letters, digits and underscores, such as apiKey")
    ] = "apiKey"
    header: KeyHeader | None = None
    byok_provider: Name | None = None
    enabled: Formula | None = None
    pricing: Pricing
    rate_limit: RateLimit = Field(default_factory=Unlimited)

    @property
    def limit(self) -> RequestLimit | CustomLimit | None:
        """How often it may be called, if there is a limit."""
        return None if isinstance(self.rate_limit, Unlimited) else self.rate_limit

    def payee(self, tool: str) -> str:
        """Who is paid with a hosted key for ``tool``: in metrics, in the pool, and whose limit it is."""
        return self.byok_provider or tool

    @field_validator("enabled")
    @classmethod
    def _is_known_before_the_call(cls, text: str | None) -> str | None:
        if text is not None and expression(text).names_response:
            raise ValueError("is worked out before the tool is run, when there are params but no response")
        return text


class CatalogTool(CamelModel):
    """One of the operator's tools. ``id`` is its name in the catalog."""

    name: Text = ""
    description: Text = ""
    parameters: JsonObject = Field(default_factory=no_parameters)
    executor: Annotated[ExecutorSpec, _one_of("type", *EXECUTOR_KINDS)]
    hosting: ToolHosting | None = None
    max_response_bytes: Annotated[int, Field(gt=0, le=6_000_000)] = RESPONSE_BYTES

    @field_validator("parameters")
    @classmethod
    def _is_of_an_object(cls, schema: dict[str, object]) -> dict[str, object]:
        if schema.get("type", "object") != "object":
            raise ValueError('must be the JSON Schema of an object, with "type": "object"')
        return schema

    @model_validator(mode="after")
    def _fits_together(self) -> CatalogTool:
        hosting = self.hosting
        if not isinstance(self.executor, HttpExecutor):
            if hosting is not None and hosting.header is not None:
                raise ValueError("hosting.header: a Lambda function has no headers; its key is an argument")
            return self
        try:
            used = check_template(self.executor, trusted=True)
        except ValueError as error:
            raise ValueError(f"executor.{error}") from None
        if hosting is not None and hosting.header is None and not self.executor.sends_arguments:
            name = hosting.api_key_param
            if name not in used:
                raise ValueError(
                    f"hosting: the key would go nowhere; name a header, or put {{{name}}} into the executor"
                )
        return self
