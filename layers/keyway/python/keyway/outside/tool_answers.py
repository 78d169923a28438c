"""What a tool answered, read with care: as its output, or as its own words about a failure.

An answer is somebody else's text. A key that it repeats is told to nobody, what is no JSON is no output, and of a
failure there is one short line. Used by ``http_tools.py`` and ``lambda_tools.py``, which bound what they read.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from urllib.parse import quote

from keyway import strict_json
from keyway.keys.credential import HIDDEN, Credential
from keyway.strict_json import StrictJsonError
from keyway.tools.executor import Job, Key, ToolFailure

_QUOTED = 300
"""Characters of a tool's own words that a message holds."""

_WORDS = ("error", "message", "detail", "errors", "msg", "errorMessage", "title")
"""Where services say in JSON what went wrong, the most usual first."""


def decoded(body: bytes, job: Job) -> object:
    """The JSON that a tool answered with; ``{}`` when it said nothing. Where it repeats the key, a mark stands instead.

    Raises:
        ToolFailure: It is not JSON, holds a number that is none, or is nested too deep to be passed on.
    """
    try:
        text = body.decode("utf-8-sig")
        output = strict_json.loads(text, levels=strict_json.LEVELS) if text.strip() else {}
    except StrictJsonError as error:
        raise ToolFailure(f"{job.tool} answered with JSON that {error}") from None
    except ValueError:
        raise ToolFailure(f"{job.tool} answered with something that is not JSON") from None
    return _told(output, job)


def quoted(said: object, job: Job) -> str:
    """A tool's own words about its failure, fit for a message: on one line, short, and without the key.

    Args:
        said: A text, or JSON that holds one; its first that is found is meant.
    """
    text = " ".join("".join(char if char.isprintable() else " " for char in _found(said, 4)[:4_000]).split())
    secret = job.key.secret if job.key is not None else None
    return Credential(secret, "caller").redact(_without_key(text, job.key))[:_QUOTED]


def quoted_body(body: bytes, job: Job) -> str:
    """The words of an answer that is a failure, whether it is JSON or a text; a page has none. As ``quoted``."""
    text = body.decode("utf-8", "replace")
    try:
        said = _found(json.loads(text), 4) or text
    except (ValueError, RecursionError):
        said = "" if text.lstrip().startswith("<") else text  # a page is for eyes
    return quoted(said, job)


def too_long(job: Job) -> ToolFailure:
    """The answer of ``job``'s tool is longer than it may be."""
    return ToolFailure(f"{job.tool} answered with more than {job.max_response_bytes} bytes")


def _found(said: object, depth: int) -> str:
    """The text in ``said``, as far down as ``depth`` levels."""
    match said:
        case str():
            return said
        case dict() if depth:
            return next((text for name in _WORDS if (text := _found(said.get(name), depth - 1))), "")
        case list() if depth:
            return next((text for element in said[:1] if (text := _found(element, depth - 1))), "")
    return ""


def _told(value: object, job: Job) -> object:
    """``value`` without the key, in texts and in members' names. Looked for in what the JSON says, not in how."""
    match value:
        case str():
            return _without_key(value, job.key)
        case dict():
            return {_without_key(name, job.key): _told(member, job) for name, member in value.items()}
        case list():
            return [_told(element, job) for element in value]
    return value


def _without_key(text: str, key: Key | None) -> str:
    """``text`` without the key of a service that repeats what it was sent: as it is, as in JSON, and as in a URL."""
    return _spellings(key.secret).sub(HIDDEN, text) if key is not None and key.secret else text


@lru_cache(64)
def _spellings(secret: str) -> re.Pattern[str]:
    in_json = json.dumps(secret)[1:-1]
    in_urls = (quote(secret, safe=safe) for safe in ("", "/", "/+="))
    exact = (secret, in_json, in_json.replace("/", "\\/"))
    return re.compile("|".join([*map(re.escape, exact), *(f"(?i:{re.escape(each)})" for each in in_urls)]))
