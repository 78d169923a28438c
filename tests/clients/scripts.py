"""What the clients are told: the same for each, so that only the protocol differs."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import TypeVar

from infra.local.provider import Call, Say, Think, Tokens

KEY = "client-key-0123456789"
WRONG_KEY = "wrong-key-0123456789"

SPOKEN = (Say("Well "), Say("met, "), Say("Zürich."))
TEXT = "Well met, Zürich."
THOUGHT = (Think("Let me "), Think("see."))
REASONING = "Let me see."
CALLS = (Call("weather", {"city": "Zürich"}, id="call00001"), Call("time", {"zone": "CET"}, id="call00002"))
CALLED = [("weather", {"city": "Zürich"}), ("time", {"zone": "CET"})]
TOKENS = Tokens(input=100, output=20, cache_read=30, reasoning=4)

PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
PERSON_TEXT = '{"name": "Ada", "age": 36}'

T = TypeVar("T")


async def all_of(items: AsyncIterable[T]) -> list[T]:
    """Every item of a stream."""
    return [item async for item in items]
