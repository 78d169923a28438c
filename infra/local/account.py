"""The account of one answer, for the terminal: who paid, how much of what, and the metric lines that say so."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infra.local import terminal
from infra.local.caller import Json
from infra.local.checks import check_metrics, member
from infra.local.system import LocalSystem


async def show_account(system: LocalSystem, answer: Json, *, tools: Mapping[str, str] | None = None) -> None:
    """Shows it, and checks it (``checks.check_metrics``)."""
    written = await system.lines.about(str(answer["requestId"]))
    check_metrics(answer, written, tools=tools)
    tokens, cost, credential = member(answer, "tokens"), member(answer, "cost"), member(answer, "credential")
    pricing = member(cost, "pricing")
    for_tools = f" + ${_money(cost['toolCost'])} for tools" if "toolCost" in cost else ""
    terminal.say()
    terminal.pairs(
        {
            "paid by": f"{credential['key']} ({credential['origin']})",
            "tokens": f"{tokens['input']} in, {tokens['output']} out",
            "cost": f"${_money(cost['total'])} = ${_money(cost['input'])} in + ${_money(cost['output'])} out{for_tools}"
            f", at ${_money(pricing['input'])} and ${_money(pricing['output'])} for a million tokens",
        }
    )
    terminal.say("  metrics")
    for metric in written.metrics:
        terminal.metric(metric)
    terminal.quiet(f"  as written, in CloudWatch's Embedded Metric Format ({written.metrics[0].namespace}):")
    for line in system.lines.all:
        if '"_aws"' in line and str(answer["requestId"]) in line:
            terminal.quiet(f"    {line}")


def _money(value: object) -> str:
    return terminal.amount(Decimal(str(value)))
