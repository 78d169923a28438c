"""What a provider sends to keep a connection open is no part of its answer, and not the beginning of one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from keyway.chat import Caller, ChatRequest
from keyway.gateway import Invocation
from keyway.http_request import HttpRequest
from tests.exchange.harness import CALLERS_SECRET, captured, gateway_over

CHUNK = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":%s}],"usage":%s}\n\n'
ANSWER = [CHUNK % (b"null", b"null"), CHUNK % (b'"stop"', b'{"prompt_tokens":3,"completion_tokens":2}')]
DOCUMENT = b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}'
MESSAGES = [
    b'data: {"type":"message_start","message":{"id":"1","usage":{"input_tokens":3}}}\n\n',
    b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":"Hi"}}\n\n',
    b'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}\n\n',
    b'data: {"type":"message_stop"}\n\n',
]
PING = b'event: ping\ndata: {"type": "ping"}\n\n'


class Slow:
    """A provider whose every read takes ten seconds of a clock that it keeps. Upstream, answer and clock in one."""

    status = 200

    def __init__(self, *reads: bytes) -> None:
        self.seconds = 1_000.0
        self.headers: Mapping[str, str] = {}
        self._reads = iter(reads)

    def now(self) -> float:
        return self.seconds

    async def send(self, _request: HttpRequest) -> Slow:
        return self

    async def read(self) -> bytes:
        self.seconds += 10
        return next(self._reads, b"")

    async def aclose(self) -> None:
        pass


async def first_byte_ms(provider: str, model: str, slow: Slow) -> int:
    request = ChatRequest.model_validate(
        {"provider": provider, "model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    )
    with captured() as lines:
        exchange = await gateway_over(slow, now=slow.now).open(
            request, Caller.model_validate_json(f'{{"apiKey": "{CALLERS_SECRET}"}}'), Invocation("request-1", 2_000.0)
        )
        assert (await exchange.whole()).content
    [line] = lines.exchanges
    assert isinstance(line["firstByteMs"], int)
    return line["firstByteMs"]


@pytest.mark.parametrize(
    ("provider", "model", "reads", "seconds"),
    [
        pytest.param("openrouter", "openrouter/m", [b": OPENROUTER PROCESSING\n\n"] * 3 + ANSWER, 40, id="comments"),
        pytest.param("deepseek", "deepseek-chat", [b": keep-alive\n\n", b":\n\n", *ANSWER], 30, id="bare-comments"),
        pytest.param("deepseek", "deepseek-chat", [b"\n", b"\n\n", DOCUMENT], 40, id="blank-lines"),
        pytest.param("anthropic", "claude-sonnet-4-5", [MESSAGES[0], PING, PING, *MESSAGES[1:]], 40, id="pings"),
        pytest.param("openrouter", "openrouter/m", ANSWER, 10, id="none"),
    ],
)
async def test_the_first_byte_is_the_answers_and_no_keep_alives(
    provider: str, model: str, reads: list[bytes], seconds: int
):
    assert await first_byte_ms(provider, model, Slow(*reads)) == seconds * 1_000
