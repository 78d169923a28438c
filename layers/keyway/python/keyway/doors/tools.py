"""Writes the operator's tool catalog as ``GET /v1/tools``: what a request may name by its id alone.

How a tool is run, and where, is the operator's own affair and is not shown.
"""

from __future__ import annotations

from keyway.billing.cost import dollars
from keyway.tools.catalog import ToolCatalog
from keyway.tools.rows import CatalogTool, PricePerRequest, ToolHosting
from keyway.tools.toolbox import parameters_shown


def tools_json(catalog: ToolCatalog | None) -> dict[str, object]:
    """The list of every tool in the catalog. A price is US dollars for each call on a platform key."""
    tools = catalog.tools if catalog else {}
    return {"object": "list", "data": [_tool(name, tool) for name, tool in tools.items()]}


def _tool(name: str, tool: CatalogTool) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": name,
        "object": "tool",
        "name": tool.name,
        "description": tool.description,
        "parameters": parameters_shown(tool.parameters, tool),
    }
    return shown | {"hosting": _hosting(tool.hosting) if tool.hosting is not None else None}


def _hosting(hosting: ToolHosting) -> dict[str, object]:
    pricing = hosting.pricing
    priced: dict[str, object] = {"type": pricing.type}
    if isinstance(pricing, PricePerRequest):
        priced["cost"] = dollars(pricing.cost)
    else:
        priced["expression"] = pricing.cost
    return {
        "apiKeyParam": hosting.api_key_param,
        "byokProvider": hosting.byok_provider,
        "pricing": priced,
        "rateLimit": hosting.rate_limit.model_dump(by_alias=True),
    }
