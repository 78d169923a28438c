"""The shipped price table: what it says, and that it is what its generator writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from infra.prices.__main__ import CATALOG as FOLDER
from infra.prices.__main__ import main
from keyway.catalog import Catalog, load
from keyway.money import Rates, Tier

ROOT = Path(__file__).resolve().parents[3]
CATALOG = Catalog.load()
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def price(provider, model_id):
    found = CATALOG.price(CATALOG.model(CATALOG.provider(provider), model_id))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("provider", "model", "paid_in", "cached", "paid_out"),
    [
        ("openai", "gpt-4o", "2.5", "1.25", "10"),
        ("openai", "gpt-4.1", "2", "0.5", "8"),
        ("openai", "gpt-5.4", "2.5", "0.25", "15"),
        ("openai", "gpt-5-chat-latest", "1.25", "0.125", "10"),
        ("openai", "o3", "2", "0.5", "8"),
        ("openai", "gpt-5-pro", "15", None, "120"),
        ("anthropic", "claude-sonnet-4-6", "3", "0.3", "15"),
        ("anthropic", "claude-opus-4-8", "5", "0.5", "25"),
        ("anthropic", "claude-3-haiku-20240307", "0.25", "0.03", "1.25"),
        ("google", "gemini-2.5-pro", "1.25", "0.125", "10"),
        ("google", "gemini-2.5-flash", "0.3", "0.03", "2.5"),
        ("google", "deep-research-pro-preview-12-2025", "2", "0.2", "12"),
        ("mistral", "mistral-large-latest", "0.5", None, "1.5"),
        ("deepseek", "deepseek-chat", "0.14", "0.0028", "0.28"),
        ("xai", "grok-4.3", "1.25", "0.2", "2.5"),
        ("xai", "grok-4-latest", "1.25", "0.2", "2.5"),
        ("groq", "groq/llama-3.3-70b-versatile", "0.59", None, "0.79"),
        ("cerebras", "cerebras/gpt-oss-120b", "0.35", None, "0.75"),
    ],
)
def test_published_prices_stand_in_the_table(provider, model, paid_in, cached, paid_out):
    rates = price(provider, model).rates
    assert (rates.input, rates.output) == (Decimal(paid_in), Decimal(paid_out))
    assert rates.cache_read == (None if cached is None else Decimal(cached))


@pytest.mark.parametrize("model", [m.id for m in CATALOG.models() if m.provider == "anthropic"])
def test_anthropic_cache_writes_cost_more_for_an_hour_than_for_five_minutes_and_more_than_input(model):
    rates = price("anthropic", model).rates
    assert rates.cache_write is not None
    assert rates.cache_write_1h is not None
    assert rates.input < rates.cache_write < rates.cache_write_1h == 2 * rates.input


def test_long_requests_have_a_tier_of_their_own():
    assert price("openai", "gpt-5.4").tiers == (
        Tier(272_000, Rates(input=Decimal(5), output=Decimal("22.5"), cache_read=Decimal("0.5"))),
    )
    # Since 13 March 2026 the long context of this model costs what the short one does.
    assert price("anthropic", "claude-sonnet-4-6").tiers == ()


LISTED_BY_THE_ORIGINAL = [
    (model, original)
    for model in CATALOG.models()
    for original in [CATALOG.provider(model.provider).priced_as]
    if original is not None and CATALOG.model(CATALOG.provider(original), model.sent_as).known
    # Vertex AI asks more for this one; its override says so.
    if model.id != "vertex/gemini-2.0-flash"
]


@pytest.mark.parametrize(("model", "original"), LISTED_BY_THE_ORIGINAL, ids=lambda value: getattr(value, "id", value))
def test_a_model_costs_elsewhere_what_it_costs_at_its_vendor(model, original):
    found = CATALOG.price(model)
    assert found is not None
    assert (found.rates, found.tiers) == (price(original, model.sent_as).rates, price(original, model.sent_as).tiers)


@pytest.mark.parametrize(
    ("provider", "asked", "original", "name"),
    [
        ("azure-openai", "azure/gpt-5.5", "openai", "gpt-5.5"),
        ("azure-openai", "azure/o3-mini-2025-01-31", "openai", "o3-mini"),
        ("azure-anthropic", "azure-anthropic/claude-sonnet-4-6", "anthropic", "claude-sonnet-4-6"),
    ],
)
def test_a_model_listed_only_by_its_vendor_costs_elsewhere_what_it_costs_there(provider, asked, original, name):
    assert not CATALOG.model(CATALOG.provider(provider), asked).known
    assert price(provider, asked) == price(original, name)


@pytest.mark.parametrize(
    ("provider", "asked", "paid_in", "paid_out"),
    [
        ("fireworks", "fireworks/accounts/fireworks/models/kimi-k2p6", "0.95", "4"),
        ("fireworks", "accounts/fireworks/models/deepseek-v4-flash-0731", "0.14", "0.28"),
        ("together", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo", "0.88", "0.88"),
        ("together", "Together/META-LLAMA/llama-3.3-70b-instruct-turbo", "0.88", "0.88"),
        ("baseten", "baseten/openai/gpt-oss-120b", "0.1", "0.5"),
        ("openrouter", "openrouter/amazon/nova-lite-v1", "0.06", "0.24"),
        ("openrouter", "openrouter/aion-labs/aion-2.0-20260223", "0.8", "1.6"),
    ],
)
def test_a_host_of_other_vendors_models_has_its_own_prices(provider, asked, paid_in, paid_out):
    rates = price(provider, asked).rates
    assert (rates.input, rates.output) == (Decimal(paid_in), Decimal(paid_out))


@pytest.mark.parametrize(
    ("provider", "asked"),
    [
        ("fireworks", "fireworks/kimi-k9"),
        ("fireworks", "fireworks/gpt-4o"),
        ("together", "together/accounts/fireworks/models/kimi-k2p6"),
        ("baseten", "baseten/"),
        ("ollama-cloud", "ollama-cloud/gpt-oss:120b"),
        ("ollama", "llama3"),
        ("vllm", "vllm/generic"),
        ("litellm", "litellm/gpt-4o"),
        ("azure-openai", "azure/my-deployment"),
        ("vertex", "vertex/claude-sonnet-4-6"),
        ("groq", "groq/unlisted"),
        ("bedrock", "bedrock/anthropic.claude-unlisted-v1:0"),
    ],
)
def test_what_cannot_be_priced_has_no_price(provider, asked):
    row = CATALOG.provider(provider)
    model = replace(row.fallback, id=asked, sent_as=row.sent_as(asked))
    assert CATALOG.price(model) is None


@pytest.mark.parametrize("priced_as", ["ollama-cloud/Gpt-Oss:120b", "gpt-oss:120b"])
@pytest.mark.parametrize("asked", ["ollama-cloud/gpt-oss:120b", "gpt-oss:120B"])
def test_an_operator_may_price_what_no_row_lists_with_or_without_the_prefix(priced_as, asked):
    catalog = Catalog.load(prices={"ollama-cloud": {priced_as: {"input": "1", "output": "2"}}})
    found = catalog.price(catalog.model(catalog.provider("ollama-cloud"), asked))
    assert found is not None
    assert (found.rates.output, found.version) == (2, "operator")


def test_bedrocks_global_endpoint_is_cheaper_than_a_geographic_one():
    sonnet = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    regional = price("bedrock", f"bedrock/{sonnet}")
    assert price("bedrock", f"bedrock/eu.{sonnet}") == regional
    assert regional.rates.input == price("bedrock", f"bedrock/global.{sonnet}").rates.input * Decimal("1.1")


def test_the_long_table_is_read_only_when_a_model_of_it_is_priced():
    program = """
import sys
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
from keyway.catalog import Catalog
catalog = Catalog.load()
def price(provider, model):
    catalog.price(catalog.model(catalog.provider(provider), model))
    return sum(name.endswith("prices_unlisted.json") for name in opened)
print(price("openai", "gpt-4o"), price("azure-openai", "azure/gpt-5.5"), price("together", "x"), price("baseten", "y"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.split() == ["0", "0", "1", "1"]


def test_every_row_of_the_long_table_is_a_price():
    rows = [(owner, name) for owner, priced in load.unlisted_prices().items() for name in priced]
    assert {owner for owner, _ in rows} == {"openrouter", "fireworks", "together", "baseten"}
    assert all(load.unlisted_prices()[owner][name].rates.input >= 0 for owner, name in rows)
    assert all(name == name.lower() for _, name in rows)


def test_every_listed_model_has_a_price_and_every_price_a_model():
    table = json.loads((FOLDER / "prices.json").read_text(encoding="utf-8"))["prices"]
    priced = {(owner, model) for owner, rows in table.items() for model in rows}
    assert {(model.provider, model.id) for model in CATALOG.models()} == priced


def test_a_price_says_where_it_came_from():
    found = price("openai", "gpt-4o")
    assert re.fullmatch(r"genai-prices \d+\.\d+\.\d+ \+ overrides [0-9a-f]{12}", found.version)
    assert date.fromisoformat(found.updated_at)


def test_the_table_is_what_its_generator_writes():
    assert main(["--check"]) == 0


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "catalog", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


@pytest.mark.parametrize(("file", "edited"), [("prices.json", '"2.5"'), ("prices_unlisted.json", '"0.88"')])
def test_a_table_edited_by_hand_fails_the_check(folder, capsys, file, edited):
    table = folder / file
    table.write_text(
        table.read_text(encoding="utf-8").replace(f'"input": {edited}', '"input": "0.25"'), encoding="utf-8"
    )
    assert main(["--check", "--catalog", str(folder)]) == 1
    assert f"{file} is not what its sources give" in capsys.readouterr().err


def test_writing_the_table_again_on_another_day_still_passes_the_check(folder, capsys):
    assert main(["--as-of", "2026-05-01", "--catalog", str(folder)]) == 0
    assert "prices in force on 2026-05-01" in capsys.readouterr().out
    assert json.loads((folder / "prices.json").read_text(encoding="utf-8"))["asOf"] == "2026-05-01"
    assert main(["--check", "--catalog", str(folder)]) == 0


def test_one_price_changes_alone_when_the_day_is_kept(folder):
    before = {name: (folder / name).read_text(encoding="utf-8") for name in ("prices.json", "prices_unlisted.json")}
    row = {"input": "1", "output": "1", "updatedAt": "2026-06-11", "reason": "r", "source": "s"}
    overrides = json.loads((folder / "price_overrides.json").read_text(encoding="utf-8"))
    overrides["openai"] = {**overrides.get("openai", {}), "gpt-4.1": row}
    (folder / "price_overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    assert main(["--as-of", json.loads(before["prices.json"])["asOf"], "--catalog", str(folder)]) == 0
    changed = {
        name: [
            new.split('": ')[0].strip(' "')
            for old, new in zip(
                text.splitlines(), (folder / name).read_text(encoding="utf-8").splitlines(), strict=True
            )
            if old != new
        ]
        for name, text in before.items()
    }
    assert changed == {"prices.json": ["version", "gpt-4.1"], "prices_unlisted.json": ["version"]}


@pytest.mark.parametrize(("given", "options"), [((), ""), (("AS_OF=2026-06-30",), "--as-of 2026-06-30")])
def test_make_passes_the_day_on(given, options):
    run = ["make", "--dry-run", "--no-print-directory", "prices", *given]
    apart = {name: value for name, value in os.environ.items() if name not in ("AS_OF", "MAKEFLAGS", "MFLAGS")}
    done = subprocess.run(run, cwd=ROOT, env=apart, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split("infra.prices")[1].strip() == options


def test_a_stray_override_is_an_error_that_names_it(folder, capsys):
    row = {"input": "1", "output": "1", "updatedAt": "2026-06-11", "reason": "r", "source": "s"}
    (folder / "price_overrides.json").write_text(json.dumps({"openai": {"gpt-4.1O": row}}), encoding="utf-8")
    assert main(["--catalog", str(folder)]) == 2
    assert "not in models.json: openai: gpt-4.1O" in capsys.readouterr().err
