"""The id in a request's path: which copy of a model answers, as decided by the region that is asked.

Most models are called through a cross-region inference profile, whose id is the model's with a prefix for the part
of the world (``us.anthropic.…``). Some have no profile and are called by their bare id. Sources: the Amazon Bedrock
user guide, "Supported Regions and models for inference profiles"; and, for the vendors that are on demand as a
whole, requests that Bedrock answered under the bare id.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from keyway.errors import InvalidRequest

_REGION = re.compile(r"[a-z]{2,8}(-[a-z]{1,16}){1,3}-[0-9]{1,2}")

_COMPLETE = ("us-gov.", "us.", "eu.", "apac.", "au.", "ca.", "jp.", "global.", "arn:")
"""How an id begins that says already where it is answered."""

_ON_DEMAND = (
    "amazon.titan-text-premier",
    "cohere.command-r",
    "google.",
    "minimax.",
    "mistral.magistral-small-2509",
    "mistral.ministral-3-14b",
    "mistral.ministral-3-3b",
    "mistral.ministral-3-8b",
    "mistral.mistral-large-2407",
    "mistral.mistral-large-2411",
    "mistral.mistral-large-3-675b",
    "mistral.mixtral-8x7b",
    "openai.",
    "qwen.",
)
"""How the ids of models begin that have no inference profile."""

_PART_OF_THE_WORLD = (
    ("us-gov-", "us-gov"),
    ("us-", "us"),
    ("ca-", "us"),
    ("sa-", "us"),
    ("eu-", "eu"),
    ("il-central-1", "eu"),
    ("af-", "eu"),
    ("ap-", "apac"),
    ("me-", "apac"),
)


def region(asked: str | None, default: str) -> str:
    """The AWS region of a request: the one it asks for, else ``default``.

    Raises:
        InvalidRequest: ``asked`` is no region's name. It becomes part of a host name, so nothing else may pass.
    """
    if asked is None:
        return default
    if not _REGION.fullmatch(asked):
        raise InvalidRequest("bedrockRegion: must be the name of an AWS region, such as us-east-1.")
    return asked


def model_id(model: str, region: str, on_demand: Sequence[str] = ()) -> str:
    """The id to send for ``model`` in ``region``. ``on_demand``: beginnings of further ids that take no prefix."""
    if model.startswith((*_COMPLETE, *_ON_DEMAND, *on_demand)):
        return model
    part = next((part for start, part in _PART_OF_THE_WORLD if region.startswith(start)), "us")
    return f"{part}.{model}"


def vendor(model: str) -> str:
    """Who made the model (``anthropic``, ``amazon``, …), as far as its id tells; ``""`` when it does not.

    Works on bare ids, prefixed ones, and ARNs that end in either.
    """
    name = model.rpartition("/")[2] if model.startswith("arn:") else model
    parts = name.split(".")
    if len(parts) > 2 and f"{parts[0]}." in _COMPLETE:
        return parts[1]
    return parts[0] if len(parts) > 1 else ""
