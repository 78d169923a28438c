"""Google's Interactions API, as its deep-research agents use it. ``request.py`` comes in, ``answer.py`` goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.local.provider.google_errors import refusal_body, wrong_api_key, wrong_token
from infra.local.provider.google_interactions.answer import InteractionAnswer
from infra.local.provider.google_interactions.request import check
from infra.local.provider.protocol import Question, WireProtocol, bearer, text_of
from infra.local.provider.script import Refusal

__all__ = ["GOOGLE", "VERTEX"]


def _asked(question: Question) -> str:
    return text_of(question.body.get("input"))


def _protocol(
    path: str, key: Callable[[Mapping[str, str]], str | None], wrong_key: Callable[[str | None], Refusal]
) -> WireProtocol:
    return WireProtocol(
        path=path,
        key=key,
        wrong_key=wrong_key,
        check=check,
        wants_stream=lambda question: question.body.get("stream") is True,
        asked=_asked,
        answer=InteractionAnswer,
        refusal_body=refusal_body,
        headers=lambda _serial: {},
        stream_type="text/event-stream",
    )


GOOGLE = _protocol(r"/interactions", lambda headers: headers.get("x-goog-api-key") or None, wrong_api_key)
VERTEX = _protocol(r"/projects/[^/]+/locations/[^/]+/interactions", bearer, wrong_token)
