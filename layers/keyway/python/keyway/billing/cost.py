"""What tokens cost: usage times rates, in US dollars, in ``Decimal``. Pure.

Every token is priced once, at its own rate: uncached input, cached reads, cache writes kept for five minutes and
for an hour, and output (reasoning included). A context tier applies to the whole request whose input is longer
than its threshold. Rounding is to 8 places, half up, and only at the end: ``total`` comes from the unrounded sum.

Impossible usage raises ``MeteringError`` and is never mended: a negative count clamped to zero would be tokens
given away, a cached part larger than the whole would be tokens charged twice. Whoever settles treats it like usage
that was never reported: nothing is charged, and the operator is told (``settlement.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from keyway.events import Usage
from keyway.money import Cost, Price, Rates

_PLACE = Decimal("0.00000001")
"""The last place of every amount: a hundred-millionth of a dollar."""

_MILLION = Decimal(1_000_000)
_MOST_TOKENS = 10**9
"""No request of any model comes near it; a provider that reports more is not counting tokens."""

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
"""Digits enough that nothing is rounded before the end, whatever the process's own decimal context says."""


class MeteringError(ValueError):
    """The usage a provider reported cannot be true, so it cannot be priced."""


def model_cost(usage: Usage, price: Price, *, multiplier: Decimal = Decimal(1)) -> Cost:
    """What one model turn costs. See ``turns_cost``."""
    return turns_cost((usage,), price, multiplier=multiplier)


def turns_cost(turns: Sequence[Usage], price: Price, *, multiplier: Decimal = Decimal(1)) -> Cost:
    """What the model turns of one exchange cost together; there is at least one.

    Each turn is a request of its own, with its own context tier; what is rounded is their sum. The rates that are shown
    are those of the longest request.

    Args:
        turns: Token counts of each; the cached parts are parts of ``input``, reasoning is part of ``output``.
        price: Rates in dollars per million tokens.
        multiplier: The platform's margin, on input and output alike. 0 makes everything free.

    Raises:
        MeteringError: The counts of a turn contradict each other, or are no counts.
    """
    with localcontext(_EXACT):
        paid_in = paid_out = Decimal(0)
        for usage in turns:
            check_usage(usage)
            rates = rates_for(usage, price)
            paid_in += input_cost(usage, rates)
            paid_out += usage.output * rates.output / _MILLION
        paid_in, paid_out = paid_in * multiplier, paid_out * multiplier
        return Cost(
            input=rounded(paid_in),
            output=rounded(paid_out),
            total=rounded(paid_in + paid_out),
            rates=rates_for(max(turns, key=lambda usage: usage.input), price),
            updated_at=price.updated_at,
        )


def with_tool_cost(cost: Cost, amount: Decimal) -> Cost:
    """``cost`` with ``amount`` dollars for hosted tools in ``tool_cost`` and in ``total``; rounded like the rest.

    Nothing changes when ``amount`` is 0. Round each tool's amount with ``rounded`` before adding them up, and what
    is recorded for each tool adds up to what stands here.

    Raises:
        MeteringError: ``amount`` is negative or no number.
    """
    if not amount.is_finite() or amount < 0:
        raise MeteringError(f"a tool cannot cost {amount}")
    amount = rounded(amount)
    if not amount:
        return cost
    return Cost(
        input=cost.input,
        output=cost.output,
        total=cost.total + amount,
        rates=cost.rates,
        updated_at=cost.updated_at,
        tool_cost=(cost.tool_cost or Decimal(0)) + amount,
    )


def rates_for(usage: Usage, price: Price) -> Rates:
    """The rates in force for a request of this length: those of the highest tier its input exceeds."""
    rates = price.rates
    for tier in price.tiers:
        if usage.input > tier.above:
            rates = tier.rates
    return rates


def input_cost(usage: Usage, rates: Rates) -> Decimal:
    """The unrounded dollars for everything that went in.

    Cached tokens without a rate of their own cost what ordinary input costs, and an hour's cache write without one
    costs what the shorter one does.
    """
    read = rates.input if rates.cache_read is None else rates.cache_read
    write = rates.input if rates.cache_write is None else rates.cache_write
    write_1h = write if rates.cache_write_1h is None else rates.cache_write_1h
    uncached = usage.input - usage.cache_read - usage.cache_write
    return (
        uncached * rates.input
        + usage.cache_read * read
        + (usage.cache_write - usage.cache_write_1h) * write
        + usage.cache_write_1h * write_1h
    ) / _MILLION


def check_usage(usage: Usage) -> None:
    """Refuses counts that cannot be true.

    Raises:
        MeteringError: A count is negative or absurdly large, or a part is larger than its whole.
    """
    counts = {
        "input": usage.input,
        "output": usage.output,
        "cache_read": usage.cache_read,
        "cache_write": usage.cache_write,
        "cache_write_1h": usage.cache_write_1h,
        "reasoning": usage.reasoning,
    }
    for name, count in counts.items():
        if not 0 <= count <= _MOST_TOKENS:
            raise MeteringError(f"the provider reported an impossible number of {name} tokens")
    if usage.cache_read + usage.cache_write > usage.input:
        raise MeteringError(
            f"the provider reported {usage.input} input tokens, but {usage.cache_read} read from"
            f" and {usage.cache_write} written to its cache"
        )
    if usage.cache_write_1h > usage.cache_write:
        raise MeteringError(
            f"the provider reported {usage.cache_write} tokens written to its cache,"
            f" but {usage.cache_write_1h} for an hour"
        )
    if usage.reasoning > usage.output:
        raise MeteringError(f"the provider reported {usage.output} output tokens, but {usage.reasoning} of reasoning")


def rounded(amount: Decimal) -> Decimal:
    """``amount`` to 8 places, half up."""
    return amount.quantize(_PLACE, rounding=ROUND_HALF_UP, context=_EXACT)


def dollars(amount: Decimal) -> float:
    """``amount`` as a JSON number.

    A float's shortest form keeps 15 digits, so an amount of 8 places below ten million dollars comes out exactly
    as it went in.
    """
    return float(amount)


def cost_json(cost: Cost) -> dict[str, object]:
    """``cost`` as the ``cost`` object of an answer: input, output, toolCost?, total, pricing.

    ``pricing`` holds the rates in dollars per million tokens, zeros when nobody was charged for the model.
    """
    pricing: dict[str, object] = {"input": 0.0, "output": 0.0, "updatedAt": cost.updated_at}
    if rates := cost.rates:
        pricing = {"input": dollars(rates.input)}
        if rates.cache_read is not None:
            pricing["cachedInput"] = dollars(rates.cache_read)
        pricing |= {"output": dollars(rates.output), "updatedAt": cost.updated_at}
    shown: dict[str, object] = {"input": dollars(cost.input), "output": dollars(cost.output)}
    if cost.tool_cost is not None:
        shown["toolCost"] = dollars(cost.tool_cost)
    shown |= {"total": dollars(cost.total), "pricing": pricing}
    return shown
