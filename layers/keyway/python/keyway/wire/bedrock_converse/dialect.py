"""What a provider row may say about a host of the Converse API. ``{}`` is Bedrock itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Dialect:
    """One host's variant.

    Attributes:
        region: The AWS region of a request that names none.
        on_demand: How the ids of models begin that are called by their bare id, besides those that ``model_id.py``
            knows: ``moonshot.``, or a whole id.
    """

    region: str = "us-east-1"
    on_demand: tuple[str, ...] = ()


def dialect(row: Mapping[str, Any]) -> Dialect:
    """The ``Dialect`` of a provider row's flags.

    Raises:
        ValueError: A flag is unknown, or its value is of the wrong type.
    """
    known = [field.name for field in fields(Dialect)]
    for name in row:
        if name not in known:
            raise ValueError(f"bedrock_converse has no dialect flag {name!r}; known are {', '.join(known)}")
    region = row.get("region", Dialect().region)
    if not isinstance(region, str) or not region:
        raise ValueError("the bedrock_converse dialect flag 'region' must be text")
    on_demand = row.get("on_demand", ())
    if not isinstance(on_demand, list | tuple) or not all(isinstance(start, str) and start for start in on_demand):
        raise ValueError("the bedrock_converse dialect flag 'on_demand' must be a list of texts")
    return Dialect(region=region, on_demand=tuple(on_demand))
