"""How many recordings there are of each wire and provider, and that none of them is left out.

``python -m tests.conformance.test_counts`` prints the table by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from keyway.errors import KeywayError
from keyway.wire.registry import WIRES, wire
from tests.conformance.feeding import Recording, _index, load, outcome
from tests.conformance.openai_chat.dialects import DIALECTS
from tests.conftest import RECORDINGS

SPOKEN_BY = {**{name: name for name in WIRES}, "mistral_chat": "openai_chat"}
"""Which of our wires decodes what the index calls a wire. Mistral's is a dialect."""

WITHOUT_RECORDINGS = frozenset({"google_interactions"})
"""Wires of which nothing is recorded; their own tests are all there is."""

SUITES = sorted({name for name in SPOKEN_BY.values() if name not in WITHOUT_RECORDINGS})
KINDS = ("streamed", "whole", "refused")
ROWS = _index()


def covered(suite: str, module: str) -> set[str]:
    """The ids of the recordings that the tests of one module of a suite are run for.

    Those it lists in ``CANNOT`` count too: a test of its own sees to it that the list is exact.
    """
    names = vars(import_module(f"tests.conformance.{suite}.{module}"))
    tests = [value for name, value in names.items() if name.startswith("test_")]
    marks = [mark for test in tests for mark in getattr(test, "pytestmark", ()) if mark.args[:1] == ("recording",)]
    run = {param.values[0]["id"] for mark in marks for param in mark.args[1] if param.values[0]}
    return run | set(names.get("CANNOT", ()))


def decoded(recording: Recording) -> bool:
    """Whether our wire makes sense of the answer: a whole turn, or an error that the answer itself tells of."""
    speaks = wire(SPOKEN_BY[recording.wire])
    if recording.status != 200:
        error = speaks.failure(
            recording.status, recording.headers, recording.response, provider=recording.provider, now=0.0
        )
        return isinstance(error, KeywayError) and error.upstream_status == recording.status
    dialect = speaks.dialect(DIALECTS[recording.provider] if SPOKEN_BY[recording.wire] == "openai_chat" else {})
    found = outcome(speaks.decoder(dialect, provider=recording.provider), [recording.response])
    if found.error is not None:
        return found.error[0] != "ProviderProtocolError"
    return found.finished.usage is not None


def kind(row: Mapping[str, Any]) -> str:
    if row["status"] != 200:
        return "refused"
    return "streamed" if row["stream"] else "whole"


def table(folder: Path) -> Iterator[str]:
    """Recordings that our wires decode, by wire and provider."""
    counts = Counter((row["wire"], row["provider"], kind(row)) for row in ROWS if decoded(load(folder, row)))
    yield f"{'wire':20}{'provider':14}" + "".join(f"{name:>10}" for name in (*KINDS, "decoded", "recorded"))
    for name, provider in sorted({(row["wire"], row["provider"]) for row in ROWS}):
        of_kind = [counts[name, provider, each] for each in KINDS]
        recorded = sum((row["wire"], row["provider"]) == (name, provider) for row in ROWS)
        yield f"{name:20}{provider:14}" + "".join(f"{count:10}" for count in (*of_kind, sum(of_kind), recorded))
    of_kind = [sum(count for key, count in counts.items() if key[2] == each) for each in KINDS]
    yield f"{'':34}" + "".join(f"{count:10}" for count in (*of_kind, sum(of_kind), len(ROWS)))


def test_every_recording_is_of_a_wire_of_ours_and_decodes(recordings: Path, capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        print("", *table(recordings), sep="\n")  # noqa: T201 - for people
    assert {row["wire"] for row in ROWS} == set(SPOKEN_BY) - WITHOUT_RECORDINGS
    assert [row["id"] for row in ROWS if not decoded(load(recordings, row))] == []


@pytest.mark.parametrize("module", ["test_recorded_answers", "test_recorded_requests"])
@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.usefixtures("recordings")
def test_a_suite_leaves_no_recording_of_its_wire_out(suite: str, module: str):
    of_the_wire = {row["id"] for row in ROWS if SPOKEN_BY[row["wire"]] == suite}
    left_out = of_the_wire - covered(suite, module)
    assert {row["about"] for row in ROWS if row["id"] in left_out} == set()


@pytest.mark.usefixtures("recordings")
def test_the_ids_tell_recordings_apart():
    assert len({row["id"] for row in ROWS}) == len(ROWS)


if __name__ == "__main__":
    print(*table(RECORDINGS), sep="\n")  # noqa: T201
