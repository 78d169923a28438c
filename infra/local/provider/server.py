"""The scripted provider: an HTTP/1.1 server on loopback that plays scripts in the protocol it is spoken to.

    async with ScriptedProvider() as provider:
        gate = Gate()
        provider.script(Say("Hel"), Wait(gate), Say("lo"))
        ...  # point a client at provider.base_urls["openai"]; the second chunk is not sent before gate.open()

All vendors (``vendors.py``) live on one port, told apart by the first part of the path. Like a vendor it refuses
wrong keys and requests of the wrong shape; unlike one it remembers every request. It belongs to the event loop that
entered it.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from infra.local.provider.connection import Connection, HttpRequest
from infra.local.provider.loopback import Arrival, LoopbackServer
from infra.local.provider.performance import perform
from infra.local.provider.protocol import Json, Question, WireProtocol
from infra.local.provider.script import Ending, Refusal, Reply, Script, Step, Tokens, Verbatim
from infra.local.provider.smalltalk import smalltalk
from infra.local.provider.vendors import VENDORS


@dataclass(slots=True)
class Received(Arrival):
    """A request to one of the vendors. ``key`` is what it carried, good or not."""

    provider: str
    path: str
    headers: Mapping[str, str]
    body: Json
    key: str | None


class ScriptedProvider(LoopbackServer):
    """The server. ``keys`` are the keys each vendor knows; a vendor without an entry takes any key."""

    def __init__(
        self,
        *,
        keys: Mapping[str, Collection[str]] | None = None,
        otherwise: Callable[[Question, WireProtocol], Reply] = smalltalk,
    ) -> None:
        super().__init__()
        self.requests: list[Received] = []
        self._keys = dict(keys or {})
        self._otherwise = otherwise
        self._planned: list[tuple[str | None, Reply | Callable[[str], Reply]]] = []
        self._serials = itertools.count(1)

    @property
    def base_urls(self) -> dict[str, str]:
        """Each provider's base URL, of the form its real one has."""
        return {name: f"{self.url}/{name}{vendor.base_path}" for name, vendor in VENDORS.items()}

    def script(
        self,
        *steps: Step,
        asked: str | None = None,
        ending: Ending = "stop",
        tokens: Tokens | None = None,
    ) -> None:
        """The next request is answered with these steps. Short for ``reply(Script(...))``."""
        self.reply(Script(*steps, ending=ending, tokens=tokens), asked=asked)

    def reply(self, reply: Reply | Callable[[str], Reply], *, asked: str | None = None) -> None:
        """The next request that no earlier reply is meant for gets ``reply``, or what it makes of the key it was sent.

        With ``asked``, only a request whose last user turn contains that text; so concurrent requests each
        find their own. When nothing is planned for a request, the server makes conversation.
        """
        self._planned.append((asked, reply))

    def forget(self) -> int:
        """Forgets every planned reply that no request has asked for, and tells how many there were."""
        unused = len(self._planned)
        self._planned.clear()
        return unused

    def _choose(self, question: Question, protocol: WireProtocol, key: str) -> Reply:
        text = protocol.asked(question)
        for index, (asked, reply) in enumerate(self._planned):
            if asked is None or asked in text:
                del self._planned[index]
                return reply(key) if callable(reply) else reply
        return self._otherwise(question, protocol)

    async def _serve(self, connection: Connection, request: HttpRequest) -> None:
        serial = next(self._serials)
        provider, _, rest = request.path.lstrip("/").partition("/")
        vendor = VENDORS.get(provider)
        if vendor is None:
            await connection.document(404, "text/plain", f"no vendor called {provider!r} here\n".encode(), {})
            return
        path = f"/{rest}"
        spoken = vendor.spoken_at(path)
        protocol = spoken or vendor.protocols[0]
        body = _json_object(request.body)
        received = Received(provider, request.path, request.headers, body or {}, protocol.key(request.headers))
        self.requests.append(received)
        question = Question(serial, path, request.headers, body or {}, request.query)
        known_path = spoken is not None and request.method == "POST"
        reply = self._refused(
            protocol, question, received, request.method, known_path=known_path, readable=body is not None
        )
        if reply is None:
            reply = self._choose(question, protocol, received.key or "")
        received.status = reply.status if isinstance(reply, Refusal | Verbatim) else 200
        await received.answer(connection, perform(reply, question, protocol, connection))

    def _refused(
        self,
        protocol: WireProtocol,
        question: Question,
        received: Received,
        method: str,
        *,
        known_path: bool,
        readable: bool,
    ) -> Reply | None:
        known = self._keys.get(received.provider)
        if received.key is None or (known is not None and received.key not in known):
            return protocol.wrong_key(received.key)
        if not known_path:
            return Refusal(404, "not_found_error", f"Invalid URL ({method} {question.path})")
        if not readable:
            return Refusal(400, "invalid_request_error", "We could not parse the JSON body of your request.")
        return protocol.check(question)


def _json_object(data: bytes) -> Json | None:
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
