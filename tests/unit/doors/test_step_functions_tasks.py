"""However a task's attempts go, its workspace is charged at most once, and every answer it gets is the same one."""
# ruff: noqa: ARG002 - the stand-ins have their ports' signatures

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.answer import Answer, Segment, Timing
from keyway.chat import Caller, ChatRequest
from keyway.doors.step_functions.answer import INLINE, encoded
from keyway.doors.step_functions.event import read_task
from keyway.doors.step_functions.tasks import Tasks
from keyway.errors import InternalError, KeywayError, ProviderUnavailable, RateLimited
from keyway.money import FREE
from keyway.outside.telemetry import Telemetry

EVENT = {
    "provider": "openai",
    "model": "gpt-4.1",
    "messages": [{"role": "user", "content": "Hello?"}],
    "idempotencyKey": "execution/Ask",
}


class Died(BaseException):
    """The environment is gone: nobody tidies up."""


BEFORE = {"failed": ProviderUnavailable("down"), "broken before": InternalError(), "died before": Died()}
"""How an attempt may end before anything is charged."""

AFTER = {"broken after": InternalError(), "died after": Died()}
"""And after it."""


class OneRecord:
    """The table, with one task in it, in memory. ``expire`` is the passing of an invocation's time."""

    def __init__(self) -> None:
        self.answer: Mapping[str, object] | None = None
        self.claimed = False

    def of(self, *, workspace_id: str | None, key: str, fingerprint: Mapping[str, object]) -> OneRecord:
        return self

    async def claim(self, *, lasts: float) -> Mapping[str, object] | None:
        if self.answer is not None:
            return self.answer
        if self.claimed:
            raise RateLimited("under way")
        self.claimed = True
        return None

    async def keep(self, answer: Mapping[str, object], *, within: float) -> None:
        self.answer = answer

    async def release(self, *, within: float) -> None:
        self.claimed = False


class Bucket:
    """S3 in memory; ``None`` for one that cannot be written to."""

    def __init__(self, stored: dict[str, bytes] | None) -> None:
        self.stored = stored

    async def put(self, request_id: str, content: bytes, *, within: float) -> Mapping[str, object] | None:
        if self.stored is None:
            return None
        self.stored[request_id] = content
        return {"bucket": "b", "key": request_id, "bytes": len(content), "sha256": "0"}


def tasks(records: OneRecord, bucket: Bucket) -> Tasks:
    journal = Telemetry(namespace="Keyway", environment="test")
    return Tasks(records=records, answers=bucket, journal=journal, now=lambda: 1_000.0)


def an_answer(content: str, request_id: str) -> Answer:
    segment = Segment("model", "gpt-4.1", "openai", 0.0, 1.0)
    timing = Timing(0.0, 1.0, (segment,))
    return Answer(content, "", "gpt-4.1", "stop", None, FREE, timing, "hosted", "OPENAI_API_KEY_1", request_id)


@given(st.lists(st.sampled_from(["answered", *BEFORE, *AFTER]), min_size=1, max_size=8))
def test_a_task_is_charged_once_however_its_attempts_end(outcomes: list[str]) -> None:
    records, charged, answers = OneRecord(), 0, []

    async def attempt(number: int, outcome: str) -> None:
        async def ask(_request: ChatRequest, _caller: Caller) -> Answer:
            nonlocal charged
            if outcome in BEFORE:
                raise BEFORE[outcome]
            charged += 1
            if outcome in AFTER:
                raise AFTER[outcome]
            return an_answer("Hello!", f"request-{number}")

        run = tasks(records, Bucket({})).run(EVENT, request_id=f"request-{number}", deadline=1_060.0, ask=ask)
        answers.append(await run)

    async def attempts() -> None:
        for number, outcome in enumerate(outcomes):
            with suppress(KeywayError, Died):
                await attempt(number, outcome)

    asyncio.run(attempts())
    assert charged <= 1
    assert all(answer == answers[0] for answer in answers)
    # Only what may have been charged keeps the next attempt from trying.
    first = next((number for number, outcome in enumerate(outcomes) if outcome != "failed"), None)
    answered = first is not None and outcomes[first] == "answered"
    assert len(answers) == (len(outcomes[first:]) if answered else 0)


AROUND = st.integers(0, 1_000) | st.integers(INLINE - 1_500, INLINE + 500)
"""Lengths of texts in short answers, and in answers just below and above the limit."""


@given(st.text(st.characters(codec=None), max_size=60), AROUND, st.booleans())
def test_nothing_above_the_limit_is_handed_over_unless_there_is_nowhere_to_put_it(
    text: str, padding: int, reachable: bool
) -> None:
    answer = an_answer(text + "x" * padding, "request-1")
    bucket = Bucket({} if reachable else None)

    async def ask(_request: ChatRequest, _caller: Caller) -> Answer:
        return answer

    event = {name: value for name, value in EVENT.items() if name != "idempotencyKey"}
    result = asyncio.run(tasks(OneRecord(), bucket).run(event, request_id="request-1", deadline=1_060.0, ask=ask))
    size = len(encoded(result))
    if "answer" in result:
        assert size < 2_048
        assert bucket.stored is not None
        assert len(bucket.stored["request-1"]) > INLINE
        assert "content" not in result
    else:
        assert result["content"] == answer.content
        assert size <= INLINE or not reachable


@pytest.mark.parametrize("content", ["\ud800", "half \udc00 a pair"])
def test_half_a_surrogate_pair_has_bytes_all_the_same(content: str) -> None:
    assert encoded({"content": content}).isascii()


def test_what_tells_tasks_apart_holds_no_key_of_a_tool() -> None:
    def of(secret: str, city: str = "Paris") -> object:
        executor = {"type": "http", "url": "https://tools.example/", "headers": {"x-key": secret}}
        tools = [{"id": "search", "params": {"apiKey": secret, "city": city}}, {"id": "mine", "executor": executor}]
        return read_task({**EVENT, "tools": tools}).fingerprint

    assert of("first-secret") == of("second-secret") != of("first-secret", "Rome")
    assert "first-secret" not in repr(of("first-secret"))
