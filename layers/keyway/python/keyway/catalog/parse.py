"""Turns the catalog's JSON rows into values: ``Provider``, ``Model``, ``Price``. Pure: JSON in, values out.

A row that cannot be understood raises ``ValueError`` naming the file, the row and the key. What the fields mean is
told where they are defined: ``rows.py``, ``keyway.capabilities`` and ``keyway.money``.

    provider   {name*, wire*, legacyKeys*, baseUrl, auth[{header*, prefix}], headers{}, dialect{}, otherWires{wire: {}},
                platformKey, strip{prefix*, anchored*}, hosting{keyPrefix*, byokProvider*, coversCatalog}, signing,
                defaultModel, modelPatterns[], addressing, callerEndpoint, claimsTheRest,
                regionPrefixes[], pricedAs, tracedAs,
                fallback{as a model}, attachments{strategy*, maxBytes*, maxFiles, accepts[]}}
    model      {temperature[low, high], efforts[], verbosities[], thinkingLevels[], adaptiveThinking,
                structuredOutputs, maxOutputTokens, contextWindow, deprecated, aliases[], wire}
    price      {input*, output*, cachedInput, cacheWrite, cacheWrite1h, updatedAt,
                tiers[{above*, and the rates again}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar, get_args

from keyway.capabilities import Model
from keyway.catalog.reading import Row
from keyway.catalog.rows import Addressing, Attachments, AuthHeader, Hosting, LegacyRule, Listing, Provider, Strip
from keyway.money import Price, Rates, Tier

T = TypeVar("T")

_ADDRESSINGS: dict[str, Addressing] = {addressing: addressing for addressing in get_args(Addressing)}
_LEGACY_RULES: dict[str, LegacyRule] = {rule: rule for rule in get_args(LegacyRule)}
_NEEDS_PLATFORM_KEY = frozenset({"singular", "caller-or-own", "caller-or-blank"})
_STRATEGIES: dict[str, Literal["inline", "remote-url", "files-api"]] = {
    "inline": "inline",
    "remote-url": "remote-url",
    "files-api": "files-api",
}


def provider(provider_id: str, row: Row) -> Provider:
    """One provider."""
    legacy = _one_of(row, "legacyKeys", _LEGACY_RULES)
    platform_key = row.optional_text("platformKey")
    if (platform_key is not None) != (legacy in _NEEDS_PLATFORM_KEY):
        row.fail(f"platformKey belongs to legacyKeys {', '.join(sorted(_NEEDS_PLATFORM_KEY))}, and only to them")
    hosting = _hosting(row.row("hosting"))
    if hosting is None and legacy in ("rotation", "singular", "pool-only"):
        row.fail(f"legacyKeys {legacy!r} needs hosting")
    base_url = row.optional_text("baseUrl")
    addressing = _addressing(row)
    if "{location}" in (base_url or "") and addressing != "vertex":
        row.fail("baseUrl holds {location}, which only the addressing vertex fills")
    headers = row.mapping("headers")
    found = Provider(
        id=provider_id,
        name=row.text("name"),
        wire=row.text("wire"),
        base_url=base_url,
        auth=tuple(_auth(header) for header in row.rows("auth")),
        headers={name: str(value) for name, value in headers.items()},
        dialect=row.mapping("dialect"),
        legacy=legacy,
        fallback=_fallback(provider_id, row.row("fallback")),
        strip=_strip(row.row("strip")),
        hosting=hosting,
        platform_key=platform_key,
        signing=row.optional_text("signing"),
        default_model=row.text("defaultModel", ""),
        model_patterns=row.texts("modelPatterns"),
        attachments=_attachments(row.row("attachments")),
        other_wires=_other_wires(row.mapping("otherWires"), row),
        region_prefixes=row.texts("regionPrefixes"),
        addressing=addressing,
        caller_endpoint=row.flag("callerEndpoint"),
        claims_the_rest=row.flag("claimsTheRest"),
        priced_as=row.optional_text("pricedAs"),
        traced_as=row.optional_text("tracedAs"),
    )
    row.done()
    return found


def listing(model_id: str, owner: Provider, row: Row) -> Listing:
    """One model of ``owner``."""
    deprecated = row.flag("deprecated")
    aliases = row.texts("aliases")
    wire = row.optional_text("wire")
    if wire is not None and wire not in owner.other_wires:
        row.fail(f"wire {wire!r} is not among the otherWires of {owner.id}")
    return Listing(
        model=_model(model_id, owner.id, owner.sent_as(model_id), row, known=True),
        aliases=aliases,
        deprecated=deprecated,
        wire=wire,
    )


def price(row: Row, *, updated_at: str, version: str) -> Price:
    """One price. ``version`` and (unless the row has a date) ``updated_at`` come from the file that holds it."""
    rates = _rates(row)
    tiers = []
    for tier in row.rows("tiers"):
        above = tier.count("above")
        if above is None:
            tier.fail("above is missing")
        tiers.append(Tier(above, _rates(tier)))
        tier.done()
    if [tier.above for tier in tiers] != sorted({tier.above for tier in tiers}):
        row.fail("tiers must be in rising order of above")
    updated_at = row.optional_text("updatedAt") or updated_at
    row.done()
    return Price(rates=rates, updated_at=updated_at, version=version, tiers=tuple(tiers))


def _model(model_id: str, owner: str, sent_as: str, row: Row, *, known: bool) -> Model:
    model = Model(
        id=model_id,
        provider=owner,
        sent_as=sent_as,
        known=known,
        temperature=row.interval("temperature"),
        reasoning_efforts=row.texts("efforts"),
        verbosities=row.texts("verbosities"),
        thinking_levels=row.texts("thinkingLevels"),
        adaptive_thinking=row.flag("adaptiveThinking"),
        structured_outputs=row.flag("structuredOutputs"),
        max_output_tokens=row.count("maxOutputTokens"),
        context_window=row.count("contextWindow"),
    )
    row.done()
    return model


def _fallback(owner: str, row: Row | None) -> Model:
    if row is None:
        return Model(id="*", provider=owner, sent_as="*", known=False)
    return _model("*", owner, "*", row, known=False)


def _auth(row: Row) -> AuthHeader:
    header = AuthHeader(header=row.text("header"), prefix=row.text("prefix", ""))
    row.done()
    return header


def _strip(row: Row | None) -> Strip | None:
    if row is None:
        return None
    if not row.has("anchored"):
        row.fail("anchored is missing")
    strip = Strip(prefix=row.text("prefix"), anchored=row.flag("anchored"))
    row.done()
    if not strip.prefix or strip.prefix != strip.prefix.lower():
        row.fail("prefix must be lower case and not empty")
    return strip


def _addressing(row: Row) -> Addressing | None:
    if not row.has("addressing"):
        return None
    addressing: Addressing = _one_of(row, "addressing", _ADDRESSINGS)
    return addressing


def _hosting(row: Row | None) -> Hosting | None:
    if row is None:
        return None
    hosting = Hosting(
        key_prefix=row.text("keyPrefix"),
        byok_provider=row.text("byokProvider"),
        covers_catalog=row.flag("coversCatalog"),
    )
    row.done()
    return hosting


def _attachments(row: Row | None) -> Attachments | None:
    if row is None:
        return None
    max_bytes = row.count("maxBytes")
    if max_bytes is None:
        row.fail("maxBytes is missing")
    attachments = Attachments(
        strategy=_one_of(row, "strategy", _STRATEGIES),
        max_bytes=max_bytes,
        accepts=row.texts("accepts"),
        max_files=row.count("maxFiles"),
    )
    row.done()
    return attachments


def _other_wires(wires: Mapping[str, object], row: Row) -> Mapping[str, Mapping[str, object]]:
    dialects: dict[str, Mapping[str, object]] = {}
    for wire, dialect in wires.items():
        if not isinstance(dialect, Mapping):
            row.fail(f"otherWires: {wire} must be an object")
        dialects[wire] = dialect
    return dialects


def _rates(row: Row) -> Rates:
    paid_in, paid_out = row.dollars("input"), row.dollars("output")
    if paid_in is None or paid_out is None:
        row.fail("input and output are needed")
    return Rates(
        input=paid_in,
        output=paid_out,
        cache_read=row.dollars("cachedInput"),
        cache_write=row.dollars("cacheWrite"),
        cache_write_1h=row.dollars("cacheWrite1h"),
    )


def _one_of(row: Row, key: str, allowed: dict[str, T]) -> T:
    value = row.text(key)
    if value not in allowed:
        row.fail(f"{key} must be one of {', '.join(allowed)}, not {value!r}")
    return allowed[value]
