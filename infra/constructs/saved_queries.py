"""Logs Insights queries over the ledger: the lines in which the gateway writes what was charged, and to whom.

``CostCharged.0`` is the amount in US dollars. An exchange has a line for its model, and one for each tool call that
cost something, which has ``toolCallId``. Fields with a capital letter are the metric's dimensions; ``Tool`` is the
model's id or the tool's. Of the others, most are named in ``keyway/report.py`` (``Report.ledger``); ``toolCallId``, and
what the line of a whole exchange adds under ``exchange``, such as ``exchange.firstByteMs``, in
``keyway/outside/telemetry.py``. Tokens stand on the model's lines only, so that they can be added up.
"""

from __future__ import annotations

QUERIES: dict[str, str] = {
    "bill every workspace": """\
filter ispresent(CostCharged.0)
| stats sum(CostCharged.0) as usd, count(*) as charges, count(toolCallId) as toolCalls, sum(tokens.input) as input,
    sum(tokens.output) as output
    by coalesce(workspaceId, "none") as workspace
| sort usd desc""",
    "bill one workspace line by line": """\
filter ispresent(CostCharged.0) and workspaceId = "PUT THE WORKSPACE HERE"
| fields @timestamp, requestId, userId, Provider, Tool, toolCallId, key as paidBy, tokens.input,
    tokens.output, tokens.cacheRead, tokens.cacheWrite, multiplier, priceVersion, CostCharged.0 as usd
| sort @timestamp asc""",
    "bill one workspace by model and day": """\
filter ispresent(CostCharged.0) and workspaceId = "PUT THE WORKSPACE HERE"
| stats sum(CostCharged.0) as usd, count(*) as charges, sum(tokens.total) as tokens
    by datefloor(@timestamp, 1d) as day, Provider, Tool
| sort day asc, usd desc""",
    "bill tools by workspace": """\
filter ispresent(CostCharged.0) and ispresent(toolCallId)
| stats sum(CostCharged.0) as usd, count(*) as calls by coalesce(workspaceId, "none") as workspace, Provider, Tool
| sort workspace asc, usd desc""",
    "tool calls nobody was charged for": """\
filter ispresent(UnknownModelCost.0)
| fields @timestamp, workspaceId, requestId, toolCallId, Tool, key
| sort @timestamp asc""",
    "time tools stood in line": """\
filter ispresent(QueueWaitDuration.0)
| stats pct(QueueWaitDuration.0, 50) as p50, pct(QueueWaitDuration.0, 95) as p95, count(*) as waits
    by Provider, Reason, coalesce(workspaceId, "none") as workspace
| sort p95 desc""",
    "cost absorbed": """\
filter ispresent(CostAbsorbed.0)
| stats sum(CostAbsorbed.0) as usd, count(*) as times by Provider, Tool
| sort usd desc""",
    "failures by key and reason": """\
filter ispresent(Failed.0)
| stats count(*) as failures by Key, Reason, Provider
| sort failures desc""",
    "one request": """\
filter requestId = "PUT THE REQUEST ID HERE" or exchange.requestId = "PUT THE REQUEST ID HERE"
| fields @timestamp, @message
| sort @timestamp asc""",
    "first byte and duration by model": """\
filter ispresent(exchange.firstByteMs)
| stats pct(exchange.firstByteMs, 50) as p50, pct(exchange.firstByteMs, 95) as p95,
    pct(exchange.durationMs, 95) as whole95, count(*) as exchanges by exchange.provider, exchange.model
| sort exchanges desc""",
}
"""Name to query; each is saved under ``keyway/<stage>/``."""
