"""Logs Insights queries over the ledger: the lines in which the gateway writes what each exchange cost, and to whom.

``CostCharged.0`` is the amount in US dollars; the fields beside it are named in ``keyway/report.py``.
"""

from __future__ import annotations

QUERIES: dict[str, str] = {
    "bill every workspace": """\
filter ispresent(CostCharged.0)
| stats sum(CostCharged.0) as usd, count(*) as exchanges, sum(tokens.input) as input, sum(tokens.output) as output
    by coalesce(workspaceId, "none") as workspace
| sort usd desc""",
    "bill one workspace line by line": """\
filter ispresent(CostCharged.0) and workspaceId = "PUT THE WORKSPACE HERE"
| fields @timestamp, requestId, userId, provider, model, key, tokens.input, tokens.output, tokens.cacheRead,
    tokens.cacheWrite, multiplier, priceVersion, CostCharged.0 as usd
| sort @timestamp asc""",
    "bill one workspace by model and day": """\
filter ispresent(CostCharged.0) and workspaceId = "PUT THE WORKSPACE HERE"
| stats sum(CostCharged.0) as usd, count(*) as exchanges, sum(tokens.total) as tokens
    by datefloor(@timestamp, 1d) as day, provider, model
| sort day asc, usd desc""",
    "cost absorbed": """\
filter ispresent(CostAbsorbed.0)
| stats sum(CostAbsorbed.0) as usd, count(*) as exchanges by provider, model
| sort usd desc""",
    "failures by key and reason": """\
filter ispresent(Failed.0)
| stats count(*) as failures by key, Reason, provider
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
