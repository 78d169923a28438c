"""The shipped price table: what it says, and that it is what its generator writes."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from infra.prices.__main__ import CATALOG as FOLDER
from infra.prices.__main__ import main
from keyway.catalog import Catalog
from keyway.money import Rates, Tier

CATALOG = Catalog.load()


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


def test_a_table_edited_by_hand_fails_the_check(folder, capsys):
    table = folder / "prices.json"
    table.write_text(table.read_text(encoding="utf-8").replace('"input": "2.5"', '"input": "0.25"'), encoding="utf-8")
    assert main(["--check", "--catalog", str(folder)]) == 1
    assert "is not what its sources give" in capsys.readouterr().err


def test_writing_the_table_again_on_another_day_still_passes_the_check(folder, capsys):
    assert main(["--as-of", "2026-05-01", "--catalog", str(folder)]) == 0
    assert "prices in force on 2026-05-01" in capsys.readouterr().out
    assert json.loads((folder / "prices.json").read_text(encoding="utf-8"))["asOf"] == "2026-05-01"
    assert main(["--check", "--catalog", str(folder)]) == 0


def test_a_stray_override_is_an_error_that_names_it(folder, capsys):
    row = {"input": "1", "output": "1", "updatedAt": "2026-06-11", "reason": "r", "source": "s"}
    (folder / "price_overrides.json").write_text(json.dumps({"openai": {"gpt-4.1O": row}}), encoding="utf-8")
    assert main(["--catalog", str(folder)]) == 2
    assert "not in models.json: openai: gpt-4.1O" in capsys.readouterr().err
