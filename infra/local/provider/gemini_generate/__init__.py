"""``generateContent`` as the Gemini API and Vertex AI speak it. ``request.py`` comes in, ``answer.py`` goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from infra.local.provider.gemini_generate.answer import GeminiAnswer
from infra.local.provider.gemini_generate.request import check
from infra.local.provider.gemini_generate.tools import offered, results
from infra.local.provider.google_errors import refusal_body, wrong_api_key, wrong_token
from infra.local.provider.protocol import Question, WireProtocol, bearer, text_of
from infra.local.provider.script import Refusal

__all__ = ["GOOGLE", "VERTEX"]


def _asked(question: Question) -> str:
    """The text of the last user turn that holds any; function results are user turns too."""
    contents = question.body.get("contents")
    for content in reversed(contents if isinstance(contents, list) else []):
        speaks = isinstance(content, Mapping) and content.get("role", "user") == "user"
        if speaks and (text := text_of(content.get("parts"))):
            return text
    return ""


def _protocol(
    path: str,
    key: Callable[[Mapping[str, str]], str | None],
    wrong_key: Callable[[str | None], Refusal],
    *,
    vertex: bool,
) -> WireProtocol:
    return WireProtocol(
        path=path,
        key=key,
        wrong_key=wrong_key,
        check=check,
        wants_stream=lambda question: question.path.endswith(":streamGenerateContent"),
        asked=_asked,
        answer=lambda question, script, tokens: GeminiAnswer(question, script, tokens, vertex=vertex),
        refusal_body=refusal_body,
        headers=lambda _serial: {"server": "scaffolding on HTTPServer2"},
        stream_type="text/event-stream",
        offered=offered,
        results=results,
    )


_METHOD = r"[^/:]+:(streamG|g)enerateContent"

GOOGLE = _protocol(
    rf"/models/{_METHOD}", lambda headers: headers.get("x-goog-api-key") or None, wrong_api_key, vertex=False
)
VERTEX = _protocol(
    rf"/projects/[^/]+/locations/[^/]+/publishers/google/models/{_METHOD}", bearer, wrong_token, vertex=True
)
