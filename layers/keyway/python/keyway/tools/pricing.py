"""What one run of a tool on a hosted key costs, and what it uses up of its limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from hashlib import blake2s

from keyway.billing.cost import rounded
from keyway.tools.expression import ExpressionError, expression
from keyway.tools.rehearsal import rehearse
from keyway.tools.rows import CustomLimit, PricePerRequest, Pricing, ToolHosting


def needs_key(hosting: ToolHosting, arguments: Mapping[str, object]) -> bool:
    """Whether a run with these arguments needs a key at all.

    Where that cannot be worked out it does: a key that is not needed does no harm, one that is missing does.
    """
    if hosting.enabled is None:
        return True
    try:
        return bool(expression(hosting.enabled).value(arguments, None))
    except ExpressionError:
        return True


def price_of(hosting: ToolHosting, arguments: Mapping[str, object], output: object) -> Decimal:
    """What a run that succeeded costs, in US dollars rounded to 8 places.

    Raises:
        ExpressionError: The price cannot be worked out, so it is not known.
    """
    pricing = hosting.pricing
    if isinstance(pricing, PricePerRequest):
        return rounded(pricing.cost)
    return rounded(expression(pricing.cost).amount(arguments, output))


def left_open(hosting: ToolHosting, arguments: Mapping[str, object]) -> str | None:
    """What would keep a run's price, or what it uses up, from being known after it, as far as the arguments decide.

    Whoever chooses the arguments must not choose that nobody knows. ``None`` when nothing is left open.
    """
    pricing = hosting.pricing
    if not isinstance(pricing, PricePerRequest) and (problem := _problem(pricing.cost, arguments)):
        return f"what it costs depends on its arguments, and the price {problem}"
    if isinstance(hosting.limit, CustomLimit):
        for dimension in hosting.limit.dimensions:
            if problem := _problem(dimension.usage, arguments):
                return f"how much of {dimension.name} it uses depends on its arguments, and that {problem}"
    return None


def _problem(text: str, arguments: Mapping[str, object]) -> str | None:
    try:
        rehearse(expression(text), arguments)
    except ExpressionError as error:
        return str(error)
    return None


@cache
def price_version(pricing: Pricing) -> str:
    """A name for ``pricing`` that is another one whenever the price is."""
    return f"tool catalog {blake2s(pricing.model_dump_json().encode(), digest_size=6).hexdigest()}"


def usage_of(limit: CustomLimit, arguments: Mapping[str, object], output: object) -> dict[str, Decimal]:
    """How much a run has used of each dimension. One that cannot be worked out is not there."""
    usage: dict[str, Decimal] = {}
    for dimension in limit.dimensions:
        try:
            usage[dimension.name] = expression(dimension.usage).amount(arguments, output)
        except ExpressionError:
            continue
    return usage
