"""A search API that says what a test tells it to: what the tool ``web_search`` calls (``tools.py``), on loopback.

    async with ScriptedSearch(keys={"search-key"}) as search:
        search.reply(429, headers={"retry-after": "1"})
        ...  # GET search.url + "/v1/search?query=…" with Authorization: Bearer search-key

It is paid for by key, so it refuses keys it does not know. It remembers every request, and what is planned for one is
answered whatever was asked. It searches nothing: unasked, it makes results up from the query. It belongs to the event
loop that entered it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl

from infra.local.provider.connection import Connection, HttpRequest
from infra.local.provider.loopback import Arrival, LoopbackServer
from infra.local.provider.protocol import bearer, starred
from infra.local.provider.script import Gate

PATH = "/v1/search"


@dataclass(slots=True)
class SearchRequest(Arrival):
    """A request that arrived. ``query`` is the URL's; ``body`` is decoded JSON, or ``None`` when there was none."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    body: object
    key: str | None = field(repr=False)

    @property
    def asked(self) -> str:
        """What to search for, in the URL or in the body."""
        given = self.query.get("query") or (self.body.get("query") if isinstance(self.body, Mapping) else None)
        return given if isinstance(given, str) else ""


Body: TypeAlias = Mapping[str, object] | bytes | Callable[[SearchRequest], Mapping[str, object] | bytes]
"""JSON, or bytes as they are, or a function that makes either out of the request."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int = 200
    body: Body | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: Gate | None = None
    hangs_up: bool = False


class ScriptedSearch(LoopbackServer):
    """The server. ``keys`` are the keys it knows; without them it takes any, and none as well."""

    def __init__(self, *, keys: Collection[str] | None = None) -> None:
        super().__init__()
        self.requests: list[SearchRequest] = []
        self._keys = keys
        self._planned: list[tuple[str | None, _Answer]] = []

    def reply(
        self,
        status: int = 200,
        body: Body | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        gate: Gate | None = None,
        asked: str | None = None,
    ) -> None:
        """The next request with a good key gets this answer; several are given in their order.

        Args:
            body: The usual one for ``status`` when left out: results, or an error.
            headers: Added to the answer's; names are in lower case.
            gate: Where the answer waits before its status line.
            asked: Only a request that searches for something with this text in it; so concurrent ones find their own.
        """
        self._planned.append((asked, _Answer(status, body, headers or {}, gate)))

    def hang_up(self, *, gate: Gate | None = None, asked: str | None = None) -> None:
        """The next request finds the connection closed, without an answer."""
        self._planned.append((asked, _Answer(gate=gate, hangs_up=True)))

    def forget(self) -> int:
        """Forgets every planned answer that no request has asked for, and tells how many there were."""
        unused = len(self._planned)
        self._planned.clear()
        return unused

    async def _serve(self, connection: Connection, request: HttpRequest) -> None:
        arrived = SearchRequest(
            method=request.method,
            path=request.path,
            query=dict(parse_qsl(request.query, keep_blank_values=True)),
            headers=request.headers,
            body=_json(request.body),
            key=bearer(request.headers),
        )
        self.requests.append(arrived)
        answer = self._refused(arrived) or self._choose(arrived) or _unplanned(arrived)
        await arrived.answer(connection, _perform(answer, arrived, connection))

    def _refused(self, request: SearchRequest) -> _Answer | None:
        if self._keys is None or request.key in self._keys:
            return None
        said = "no API key was sent" if request.key is None else f"the API key {starred(request.key)} is not known"
        return _Answer(401, _error("invalid_api_key", said), {"www-authenticate": "Bearer"})

    def _choose(self, request: SearchRequest) -> _Answer | None:
        for index, (asked, answer) in enumerate(self._planned):
            if asked is None or asked in request.asked:
                del self._planned[index]
                return answer
        return None


async def _perform(answer: _Answer, request: SearchRequest, connection: Connection) -> None:
    if answer.gate is not None:
        await answer.gate.pass_through()
    if answer.hangs_up:
        connection.abort()
        return
    request.status = answer.status
    body = answer.body if answer.body is not None else _usual(answer.status, request)
    content = body(request) if callable(body) else body
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    await connection.document(answer.status, "application/json", text, answer.headers)


def _unplanned(request: SearchRequest) -> _Answer:
    if request.path != PATH:
        return _Answer(404, _error("not_found", f"there is nothing at {request.path}"))
    if not request.asked.strip():
        return _Answer(400, _error("invalid_request", "query: is required"))
    return _Answer()


def _usual(status: int, request: SearchRequest) -> Mapping[str, object]:
    if status < 400:
        return _results(request.asked)
    phrase = HTTPStatus(status).phrase
    return _error(phrase.lower().replace(" ", "_"), phrase)


def _results(query: str) -> Mapping[str, object]:
    shown = " ".join(query.split())[:80]
    page = re.sub(r"[^a-z0-9]+", "-", shown.lower()).strip("-") or "nothing"
    results = [
        {"title": f"{about}: {shown}", "url": f"https://{host}.example/{page}", "snippet": f"{said} “{shown}”."}
        for about, host, said in (
            ("Encyclopedia", "encyclopedia", "A made-up article about"),
            ("Questions and answers", "answers", "Somebody asked, and nobody answered:"),
            ("News", "news", "Nothing new is known of"),
        )
    ]
    return {"results": results, "usage": {"searches": 1, "results": len(results)}}


def _error(kind: str, message: str) -> Mapping[str, object]:
    return {"error": {"type": kind, "message": message}}


def _json(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None
