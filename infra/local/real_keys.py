"""Whether the person at this machine has brought a real provider's key, and where that provider then is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PREFIXES = {"openai": "OPENAI", "anthropic": "ANTHROPIC"}


@dataclass(frozen=True, slots=True)
class RealVendor:
    """A provider that is to be called for real.

    ``keys`` are hosted keys by name (``OPENAI_API_KEY_1``). ``base_url`` is an address of the caller's own (from
    ``OPENAI_BASE_URL`` and the like, as the vendors' SDKs read it), or ``None`` for the vendor's.
    """

    keys: Mapping[str, str] = field(repr=False)
    base_url: str | None = None


def real_vendors(environment: Mapping[str, str]) -> dict[str, RealVendor]:
    """The providers for which ``environment`` holds a key.

    Keys are named ``OPENAI_API_KEY_1``, ``_2`` and so on; the bare ``OPENAI_API_KEY`` stands for ``_1``.
    """
    found: dict[str, RealVendor] = {}
    for provider, prefix in _PREFIXES.items():
        numbered = re.compile(rf"{prefix}_API_KEY_[1-9]\d*")
        keys = {name: key for name, key in environment.items() if numbered.fullmatch(name) and key}
        if bare := environment.get(f"{prefix}_API_KEY"):
            keys.setdefault(f"{prefix}_API_KEY_1", bare)
        if keys:
            found[provider] = RealVendor(keys, environment.get(f"{prefix}_BASE_URL") or None)
    return found
