"""The operator's tools, read from the JSON that an operator writes.

    {
      "web_search": {
        "description": "Searches the web.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        "executor": {"type": "http", "method": "GET", "url": "https://api.search.example/v1/search{?query}"},
        "hosting": {
          "keyPrefix": "SEARCH_API_KEY",
          "header": {"name": "authorization", "prefix": "Bearer "},
          "byokProvider": "search",
          "pricing": {"type": "per_request", "cost": "0.005"},
          "rateLimit": {"mode": "per_request", "requestsPerMinute": 10}
        }
      }
    }

Everything that can be wrong with it is found when it is read, and named by its place: a wrong row, a name that is there
twice, tools that share a bucket and do not agree on it. Addresses and functions in it are the operator's, so they are
trusted, as ``PROVIDER_BASE_URLS`` is; no part of a host is ever an argument. What a row may hold is ``rows.py``; who is
run how is ``toolbox.py``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from keyway.chat import EXECUTOR_KINDS, LambdaExecutor
from keyway.faults import faults_of
from keyway.tools.rows import KINDS, CatalogTool, CustomLimit, RequestLimit

_KINDS = {**KINDS, "executor": EXECUTOR_KINDS}


class ToolCatalogError(ValueError):
    """The operator's catalog is wrong. The message says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class ToolCatalog:
    """Every tool of the operator's, by id."""

    tools: Mapping[str, CatalogTool] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> ToolCatalog:
        """The catalog in ``text``, a JSON object of id to row.

        Raises:
            ToolCatalogError: It is not one.
        """
        try:
            document = json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
        except ToolCatalogError:
            raise
        except (ValueError, RecursionError) as error:
            place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise ToolCatalogError(f"is not JSON{place}") from None
        if not isinstance(document, dict):
            raise ToolCatalogError("must be a JSON object of tool id to tool")
        catalog = cls({name: _row(name, row) for name, row in document.items()})
        if problem := next(catalog._contradictions(), None):
            raise ToolCatalogError(problem)
        return catalog

    @property
    def limited(self) -> tuple[str, ...]:
        """The ids of tools that have a rate limit."""
        return tuple(name for name, tool in self.tools.items() if tool.hosting is not None and tool.hosting.limit)

    @property
    def functions(self) -> tuple[str, ...]:
        """The Lambda functions that tools are run by."""
        found = (tool.executor.function for tool in self.tools.values() if isinstance(tool.executor, LambdaExecutor))
        return tuple(dict.fromkeys(found))

    @property
    def byok_providers(self) -> frozenset[str]:
        """Names under which a workspace may store a key for a tool."""
        rows = (tool.hosting for tool in self.tools.values())
        return frozenset(row.byok_provider for row in rows if row is not None and row.byok_provider is not None)

    def _contradictions(self) -> Iterator[str]:
        """Tools that share a provider share its buckets, so they have to agree on them."""
        limits: dict[str, tuple[str, RequestLimit | CustomLimit | None]] = {}
        for name, tool in self.tools.items():
            if tool.hosting is None:
                continue
            payee = tool.hosting.payee(name)
            first, limit = limits.setdefault(payee, (name, tool.hosting.limit))
            if limit != tool.hosting.limit:
                yield (
                    f"{name}.hosting.rateLimit: differs from that of {first}, which is called on the same keys"
                    f" ({payee}) and so from the same bucket"
                )


def _once_each(members: Sequence[tuple[str, object]]) -> dict[str, object]:
    document = dict(members)
    if len(document) < len(members):
        names = [name for name, _ in members]
        twice = next(name for name in names if names.count(name) > 1)
        raise ToolCatalogError(f"{twice}: is there twice in the same object")
    return document


def _no_constant(_name: str) -> object:
    raise ValueError  # NaN and the infinities


def _row(name: str, row: object) -> CatalogTool:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise ToolCatalogError(f"{name!r}: a tool's id must be 1 to 64 letters, digits, hyphens and underscores")
    if not isinstance(row, dict):
        raise ToolCatalogError(f"{name}: must be an object")
    try:
        return CatalogTool.model_validate(row)
    except ValidationError as error:
        faults = faults_of(error, kinds=_KINDS, below=name)
        # What is about several fields at once brings its own place.
        own = faults.removeprefix(f"{name}: ")
        raise ToolCatalogError(faults if own == faults else f"{name}.{own}") from None
