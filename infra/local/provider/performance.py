"""Plays one reply over one connection: the order of waiting, writing and breaking off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable

from infra.local.provider.connection import Connection
from infra.local.provider.protocol import Question, WireProtocol
from infra.local.provider.script import (
    Break,
    Cut,
    HangUp,
    Pause,
    Raw,
    Refusal,
    Reply,
    Script,
    Start,
    Tokens,
    Verbatim,
    Wait,
)
from infra.local.provider.smalltalk import count


async def perform(reply: Reply, question: Question, protocol: WireProtocol, connection: Connection) -> None:
    """Sends ``reply`` to the client.

    Raises:
        ConnectionError: The client left.
    """
    match reply:
        case Verbatim():
            await connection.document(reply.status, reply.content_type, reply.body, reply.headers)
        case Refusal():
            await _refuse(reply, question, protocol, connection)
        case Script() if protocol.wants_stream(question):
            await _Stream(reply, question, protocol, connection).play()
        case Script():
            await _document(reply, question, protocol, connection)


async def _refuse(refusal: Refusal, question: Question, protocol: WireProtocol, connection: Connection) -> None:
    body = protocol.refusal_body(refusal, question.serial)
    headers = {**protocol.headers(question.serial), **refusal.headers}
    await connection.document(refusal.status, "application/json", body, headers)


class _Stream:
    """A streamed answer. The head goes out with the first frame, so waiting before it is a late first byte."""

    def __init__(self, script: Script, question: Question, protocol: WireProtocol, connection: Connection) -> None:
        self._script = script
        self._protocol = protocol
        self._question = question
        self._connection = connection
        self._answer = protocol.answer(question, script, _tokens(script, question))
        self._started = False

    async def play(self) -> None:
        for step in self._script.steps:
            match step:
                case Wait(gate):
                    await gate.pass_through()
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                case Start():
                    await self._start()
                case Raw(data):
                    await self._start()
                    await self._connection.write(data)
                case Cut():
                    await self._start()
                    await self._connection.end()
                    return
                case HangUp():
                    await self._start()
                    self._connection.abort()
                    return
                case Break():
                    await self._start()
                    await self._write(self._answer.interrupt(step))
                    await self._connection.end()
                    return
                case _:
                    await self._start()
                    await self._write(self._answer.add(step))
        await self._start()
        await self._write(self._answer.finish())
        await self._connection.end()

    async def _start(self) -> None:
        if not self._started:
            self._started = True
            headers = {**self._protocol.headers(self._question.serial), **self._script.headers}
            content_type = self._script.content_type or self._protocol.stream_type
            await self._connection.start(200, content_type, headers)
            await self._write(self._answer.begin())

    async def _write(self, frames: Iterable[bytes]) -> None:
        for frame in frames:
            await self._connection.write(frame)


async def _document(script: Script, question: Question, protocol: WireProtocol, connection: Connection) -> None:
    answer = protocol.answer(question, script, _tokens(script, question))
    _exhaust(answer.begin())
    whole = True
    for step in script.steps:
        match step:
            case Wait(gate):
                await gate.pass_through()
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case HangUp():
                connection.abort()
                return
            case Cut():
                whole = False
                break
            case Break():
                _exhaust(answer.interrupt(step))
                break
            case Start() | Raw():
                continue  # there are no frames to stand between
            case _:
                _exhaust(answer.add(step))
    else:
        _exhaust(answer.finish())
    body = protocol.before_document + json.dumps(answer.document()).encode()
    headers = {**protocol.headers(question.serial), **script.headers}
    content_type = script.content_type or "application/json"
    await connection.document(200, content_type, body if whole else body[: len(body) // 2], headers)


def _tokens(script: Script, question: Question) -> Tokens | None:
    if not script.report_tokens:
        return None
    return script.tokens or count(script, question)


def _exhaust(frames: Iterable[bytes]) -> None:
    for _ in frames:
        pass
