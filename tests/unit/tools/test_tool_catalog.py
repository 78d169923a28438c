"""The operator's tools: what a right catalog comes to, and what a wrong one is told."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from keyway.chat import HttpExecutor, LambdaExecutor
from keyway.tools.catalog import ToolCatalog, ToolCatalogError
from keyway.tools.rows import (
    CatalogTool,
    CustomLimit,
    PriceByExpression,
    PricePerRequest,
    RequestLimit,
    ToolHosting,
    Unlimited,
)

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:tickets:live"

CATALOG: dict[str, Any] = {
    "web_search": {
        "name": "Web search",
        "description": "Searches the web.",
        "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]},
        "executor": {"type": "http", "method": "GET", "url": "https://api.search.example/v1/search{?query}"},
        "hosting": {
            "keyPrefix": "SEARCH_API_KEY",
            "header": {"name": "Authorization", "prefix": "Bearer "},
            "byokProvider": "search",
            "pricing": {"type": "per_request", "cost": "0.005"},
            "rateLimit": {"mode": "per_request", "requestsPerMinute": 10, "burstMultiplier": 1.5},
        },
    },
    "scrape": {
        "executor": {
            "type": "http",
            "url": "http://scraper.internal:8080/run",
            "body": {"url": "{url}", "k": "{token}"},
        },
        "hosting": {
            "keyPrefix": "SCRAPE",
            "apiKeyParam": "token",
            "enabled": 'params.mode == "hosted"',
            "pricing": {"type": "custom", "cost": "0.002 * count(response.pages)"},
            "rateLimit": {
                "mode": "custom",
                "requestsPerMinute": 5,
                "dimensions": [{"name": "pages", "limitPerMinute": 100, "usage": "count(response.pages)"}],
            },
        },
        "maxResponseBytes": 2_000_000,
    },
    "tickets": {"executor": {"type": "lambda", "function": FUNCTION, "timeoutSeconds": 5}},
    "tickets_too": {"executor": {"type": "lambda", "function": FUNCTION}},
}


def read(document: object) -> ToolCatalog:
    return ToolCatalog.read(document if isinstance(document, str) else json.dumps(document))


def test_a_catalog_is_read():
    catalog = read(CATALOG)
    search, scrape, tickets = (catalog.tools[name] for name in ("web_search", "scrape", "tickets"))
    assert (search.name, search.description) == ("Web search", "Searches the web.")
    assert search.parameters == CATALOG["web_search"]["parameters"]
    assert isinstance(search.executor, HttpExecutor)
    assert (search.executor.method, search.executor.timeout_seconds, search.max_response_bytes) == (
        "GET",
        30.0,
        1_048_576,
    )
    assert search.hosting is not None
    assert search.hosting.header is not None
    assert (search.hosting.key_prefix, search.hosting.api_key_param) == ("SEARCH_API_KEY", "apiKey")
    assert (search.hosting.header.name, search.hosting.header.prefix) == ("Authorization", "Bearer ")
    assert search.hosting.pricing == PricePerRequest(type="per_request", cost=Decimal("0.005"))
    assert isinstance(search.hosting.rate_limit, RequestLimit)
    assert (search.hosting.rate_limit.requests_per_minute, search.hosting.rate_limit.burst_multiplier) == (10, 1.5)
    assert scrape.hosting is not None
    assert isinstance(scrape.hosting.pricing, PriceByExpression)
    assert isinstance(scrape.hosting.rate_limit, CustomLimit)
    assert scrape.hosting.rate_limit.dimensions[0].burst_multiplier == 2.0
    assert scrape.parameters == {"type": "object", "properties": {}}
    assert isinstance(tickets.executor, LambdaExecutor)
    assert (tickets.executor.timeout_seconds, tickets.hosting) == (5, None)


def test_a_catalog_sums_up_what_others_need_of_it():
    catalog = read(CATALOG)
    assert catalog.limited == ("web_search", "scrape")
    assert catalog.functions == (FUNCTION,)
    assert catalog.byok_providers == {"search"}
    assert (ToolCatalog().limited, ToolCatalog().functions, ToolCatalog().byok_providers) == ((), (), frozenset())
    assert read("{}") == ToolCatalog()


def test_a_right_catalog_comes_back_as_it_was_written():
    rows = {
        name: tool.model_dump(mode="json", by_alias=True, exclude_unset=True)
        for name, tool in read(CATALOG).tools.items()
    }
    assert rows == CATALOG
    assert read(rows) == read(CATALOG)


def test_hosting_without_a_limit_has_none():
    catalog = copy.deepcopy(CATALOG)
    del catalog["web_search"]["hosting"]["rateLimit"]
    catalog["scrape"]["hosting"]["rateLimit"] = {"mode": "none"}
    tools = read(catalog)
    assert [tool.hosting.rate_limit for tool in tools.tools.values() if tool.hosting] == [Unlimited(), Unlimited()]
    assert tools.limited == ()


def priced(cost: str) -> Decimal:
    """The price, as it stands in the JSON."""
    text = json.dumps({"web_search": CATALOG["web_search"]}).replace('"0.005"', cost)
    hosting = ToolCatalog.read(text).tools["web_search"].hosting
    assert hosting is not None
    assert isinstance(hosting.pricing, PricePerRequest)
    return hosting.pricing.cost


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("0.005", "0.005"),
        ('"0.005"', "0.005"),
        ("5e-3", "0.005"),
        ('"0.1"', "0.1"),
        ("1", "1"),
        ('"0"', "0"),
        ("0.1", "0.1"),
    ],
)
def test_a_price_is_exactly_what_is_written(written, price):
    found = priced(written)
    assert (found, str(found)) == (Decimal(price), price)


@given(st.decimals(min_value=0, max_value=999_999, places=9))
def test_any_price_is_exact_as_a_text(price):
    assert priced(f'"{price:f}"') == price


@given(st.decimals(min_value=0, max_value=999, places=6))
def test_and_as_a_number(price):
    assert priced(f"{price:f}") == price


def test_the_names_that_share_a_bucket_agree_on_it():
    catalog = {name: copy.deepcopy(CATALOG["web_search"]) for name in ("web_search", "news_search")}
    assert set(read(catalog).limited) == {"web_search", "news_search"}
    catalog["news_search"]["hosting"]["rateLimit"]["requestsPerMinute"] = 20
    with pytest.raises(ToolCatalogError) as wrong:
        read(catalog)
    assert str(wrong.value) == (
        "news_search.hosting.rateLimit: differs from that of web_search, which is called on the same keys (search)"
        " and so from the same bucket"
    )
    catalog["news_search"]["hosting"]["byokProvider"] = "news"
    read(catalog)


# What a wrong catalog is told. Each is the right one with one thing changed.

ABSENT = object()
KNOWN = "there are params, response and count, sum, min, max, ceil, floor, round, number"


def changed(path: str, value: object) -> dict[str, Any]:
    catalog: dict[str, Any] = copy.deepcopy(CATALOG)
    *steps, last = path.split("/")
    row: Any = catalog
    for step in steps:
        row = row[int(step) if isinstance(row, list) else step]
    if value is ABSENT:
        del row[last]
    else:
        row[last] = value
    return catalog


WRONG: list[tuple[str, object, str]] = [
    ("web_search", [], "must be an object"),
    ("tickets/descripton", "x", "is not a known field"),
    ("tickets/description", 5, "must be a string"),
    ("tickets/parameters", [], "must be an object"),
    ("tickets/parameters", {"type": "string"}, 'must be the JSON Schema of an object, with "type": "object"'),
    ("tickets/maxResponseBytes", 6_000_001, "should be less than or equal to 6000000"),
    ("tickets/maxResponseBytes", "1", "must be a whole number"),
    ("tickets/executor", ABSENT, "is required"),
    ("tickets/executor", "lambda", "must be an object"),
    ("tickets/executor", {}, "needs a type: http or lambda"),
    ("tickets/executor", {"type": "ftp"}, "needs a type: http or lambda"),
    ("tickets/executor", {"type": ["http"]}, "needs a type: http or lambda"),
    ("tickets/executor/function", ABSENT, "is required"),
    ("tickets/executor/timeoutSeconds", 901, "should be less than or equal to 900"),
    ("web_search/executor/timeoutSeconds", "5", "must be a number"),
    ("web_search/executor/method", "get", "should be 'GET', 'POST', 'PUT', 'PATCH' or 'DELETE'"),
    ("web_search/executor/url", ABSENT, "is required"),
    ("web_search/executor/url", "", "must not be empty"),
    ("web_search/executor/url", "api.example", "must begin with https:// or http://"),
    ("web_search/executor/url", "https://{h}/", "must name its host and port, and begin its path, before the first"),
    ("web_search/executor/headers", [], "must be an object"),
    ("web_search/executor/headers", {"Host": "x"}, "Host is set by the gateway itself"),
    ("web_search/hosting", "yes", "must be an object"),
    ("web_search/hosting/keyPrefix", ABSENT, "is required"),
    (
        "web_search/hosting/keyPrefix",
        "my-key",
        "must be capital letters, digits and underscores, such as SEARCH_API_KEY",
    ),
    ("web_search/hosting/keyPrefix", "KEY\n", "must be capital letters, digits and underscores"),
    ("web_search/hosting/apiKeyParam", "a-b", "must be 1 to 64 letters, digits and underscores, such as apiKey"),
    ("web_search/hosting/byokProvider", "", "must not be empty"),
    ("web_search/hosting/header/name", ABSENT, "is required"),
    ("web_search/hosting/header/name", "a b", "the name of a header must be made of letters, digits and hyphens"),
    ("web_search/hosting/header/name", "Host", "Host is set by the gateway itself"),
    ("web_search/hosting/header/prefix", "b\n", "must be printable ASCII characters"),
    ("web_search/hosting/pricing", ABSENT, "is required"),
    ("web_search/hosting/pricing", 0.005, "must be an object"),
    ("web_search/hosting/pricing", {"cost": "1"}, "needs a type: per_request or custom"),
    ("web_search/hosting/pricing", {"type": "perRequest"}, "needs a type: per_request or custom"),
    ("web_search/hosting/pricing/cost", ABSENT, "is required"),
    ("web_search/hosting/pricing/cost", "$1", 'must be an amount in US dollars, such as "0.005"'),
    ("web_search/hosting/pricing/cost", "-1", "must be an amount in US dollars"),
    ("web_search/hosting/pricing/cost", "1_0", "must be an amount in US dollars"),
    ("web_search/hosting/pricing/cost", "NaN", "must be an amount in US dollars"),
    ("web_search/hosting/pricing/cost", "", "must be an amount in US dollars"),
    ("web_search/hosting/pricing/cost", -1, "should be greater than or equal to 0"),
    ("web_search/hosting/pricing/cost", 1e9, "should be less than 1000000000"),
    ("web_search/hosting/pricing/cost", True, "must be a number"),
    ("web_search/hosting/pricing/cost", None, "must be a number"),
    ("scrape/hosting/pricing/cost", "0.01 *", "is not an expression"),
    ("scrape/hosting/pricing/cost", 0.01, "must be a string"),
    ("scrape/hosting/pricing/cost", "pages * 2", f"pages is not known; {KNOWN}"),
    ("scrape/hosting/enabled", "mode", f"mode is not known; {KNOWN}"),
    ("scrape/hosting/enabled", "response.on", "is worked out before the tool is run, when there are params but no"),
    ("scrape/hosting/enabled", True, "must be a string"),
    ("web_search/hosting/rateLimit", 10, "must be an object"),
    ("web_search/hosting/rateLimit", {}, "needs a mode: none, per_request or custom"),
    ("web_search/hosting/rateLimit", {"mode": "some"}, "needs a mode: none, per_request or custom"),
    ("web_search/hosting/rateLimit/perHour", 1, "is not a known field"),
    ("web_search/hosting/rateLimit/requestsPerMinute", ABSENT, "is required"),
    ("web_search/hosting/rateLimit/requestsPerMinute", 0, "should be greater than 0"),
    ("web_search/hosting/rateLimit/requestsPerMinute", 1.5, "must be a whole number"),
    ("web_search/hosting/rateLimit/burstMultiplier", 0.5, "should be greater than or equal to 1"),
    ("scrape/hosting/rateLimit/dimensions", ABSENT, "is required"),
    ("scrape/hosting/rateLimit/dimensions", {}, "must be an array"),
    ("scrape/hosting/rateLimit/dimensions", [], "must be 1 to 8 dimensions; without any, the mode is per_request"),
    ("scrape/hosting/rateLimit/dimensions/0/name", "a b", "must be 1 to 64 letters, digits and underscores"),
    ("scrape/hosting/rateLimit/dimensions/0/usage", "1 +", "is not an expression"),
]
"""Where something is changed, to what, and what is said of that place."""

WRONG_TOGETHER: list[tuple[str, object, str]] = [
    ("web search", {}, "'web search': a tool's id must be 1 to 64 letters, digits, hyphens and underscores"),
    ("x" * 65, {}, f"'{'x' * 65}': a tool's id must be 1 to 64 letters"),
    ("web_search/executor/headers", {"x": "{a.b}"}, "web_search.executor.headers.x: must hold only names in braces"),
    ("web_search/executor/headers", {"x": 1}, "web_search.executor.headers.x: must be a string"),
    ("web_search/executor/body", {"a": ["{"]}, "web_search.executor.body.a[0]: must hold only names in braces"),
    (
        "web_search/hosting/header",
        ABSENT,
        "web_search.hosting: the key would go nowhere; name a header, or put {apiKey} into the executor",
    ),
    ("scrape/executor/body", {}, "scrape.hosting: the key would go nowhere; name a header, or put {token} into"),
    (
        "scrape/hosting/rateLimit/dimensions/0/name",
        "actor_requests",
        "scrape.hosting.rateLimit.dimensions: each needs a name of its own, and actor_requests is taken",
    ),
    (
        "tickets/hosting",
        CATALOG["web_search"]["hosting"],
        "tickets.hosting.header: a Lambda function has no headers; its key is an argument",
    ),
]
"""Where something is changed, to what, and all that is said."""


def place(path: str) -> str:
    return re.sub(r"/([0-9]+)", r"[\1]", path).replace("/", ".")


CASES = [(path, value, f"{place(path)}: {said}") for path, value, said in WRONG] + WRONG_TOGETHER


@pytest.mark.parametrize(("path", "value", "message"), CASES, ids=[f"{path}={value!r:.20}" for path, value, _ in CASES])
def test_a_wrong_catalog_says_where_and_what_would_be_right(path, value, message):
    with pytest.raises(ToolCatalogError) as wrong:
        read(changed(path, value))
    assert str(wrong.value).startswith(message)
    assert str(wrong.value).count(f"{path.split('/')[0]}.") <= 1, "one fault, one message"


def test_each_dimension_has_its_own_name():
    dimensions = CATALOG["scrape"]["hosting"]["rateLimit"]["dimensions"] * 2
    with pytest.raises(ToolCatalogError, match="dimensions: each needs a name of its own"):
        read(changed("scrape/hosting/rateLimit/dimensions", dimensions))
    many = [{"name": f"d{number}", "limitPerMinute": 1, "usage": "1"} for number in range(9)]
    read(changed("scrape/hosting/rateLimit/dimensions", many[:8]))
    with pytest.raises(ToolCatalogError, match="dimensions: must be 1 to 8 dimensions"):
        read(changed("scrape/hosting/rateLimit/dimensions", many))


def test_several_faults_are_named_together():
    wrong: dict[str, Any] = {"a": {"executor": {"type": "http"}, "hosting": {"pricing": {"type": "custom"}}, "b": 1}}
    with pytest.raises(ToolCatalogError) as found:
        read(wrong)
    assert str(found.value) == (
        "a.executor.url: is required; a.hosting.keyPrefix: is required; a.hosting.pricing.cost: is required;"
        " a.b: is not a known field"
    )


@pytest.mark.parametrize("name", ["executor", "pricing", "rateLimit", "type", "http", "custom"])
def test_a_tool_may_be_called_anything(name):
    with pytest.raises(ToolCatalogError) as found:
        read({name: {"executor": {"type": "http", "url": "https://h/x", "http": 1}}})
    assert str(found.value) == f"{name}.executor.http: is not a known field"
    with pytest.raises(ToolCatalogError) as found:
        read({name: {"executor": {"type": "http", "url": "https://h/{+x}"}}})
    assert str(found.value).startswith(f"{name}.executor.url: {{+name}} is refused")


DOCUMENTS = {
    "": "is not JSON (line 1, column 1)",
    "{": "is not JSON (line 1, column 2)",
    '{\n "a": }': "is not JSON (line 2, column 7)",
    '{"a": NaN}': "is not JSON",
    '{"a": -Infinity}': "is not JSON",
    "[" * 100_000: "is not JSON",
    '{"a": ' + "1" * 5_000 + "}": "is not JSON",
    "[]": "must be a JSON object of tool id to tool",
    "null": "must be a JSON object of tool id to tool",
    '"web_search"': "must be a JSON object of tool id to tool",
    '{"a": {}, "a": {}}': "a: is there twice in the same object",
    '{"a": {"executor": {"url": "x", "url": "y"}}}': "url: is there twice in the same object",
}


@pytest.mark.parametrize("text", DOCUMENTS, ids=[text[:20] for text in DOCUMENTS])
def test_what_is_no_catalog_at_all(text):
    with pytest.raises(ToolCatalogError) as wrong:
        ToolCatalog.read(text)
    assert str(wrong.value) == DOCUMENTS[text]


def test_a_tool_cannot_be_made_wrong_by_hand_either():
    make: list[Callable[[], object]] = [
        lambda: CatalogTool.model_validate({"executor": {"type": "http", "url": "https://{host}/"}}),
        lambda: ToolHosting.model_validate({"keyPrefix": "A", "pricing": {"type": "custom", "cost": "x"}}),
    ]
    for making in make:
        with pytest.raises(ValidationError):
            making()


def test_a_message_never_quotes_a_value():
    secret = "sk-very-secret"
    for path in ("web_search/executor/method", "web_search/executor/type", "web_search/hosting/pricing/cost",
                 "web_search/hosting/keyPrefix", "web_search/executor/timeoutSeconds"):  # fmt: skip
        with pytest.raises(ToolCatalogError) as wrong:
            read(changed(path, secret))
        assert secret not in str(wrong.value)
        assert wrong.value.__cause__ is None
