"""Fits a request to its model and its provider: drops the settings they do not take, refuses the files. Pure.

Done by ``gateway.py`` before a request is put into its provider's words and before a key is looked for. A wire may
therefore rely on every setting it is given being one that its model takes.

    temperature       dropped when the model refuses the setting; out of the model's range: ``InvalidRequest``
    reasoningEffort   dropped unless it is one of the model's values
    verbosity         the same
    thinkingLevel     the same
    maxTokens         lowered to what the model can generate, when that is known
    files             never dropped: a number, type or size that the provider does not take is ``InvalidRequest``

A temperature is never moved into range in silence: 1.0 and 1.5 are different answers, so the caller has to choose.
``maxTokens`` is another thing. It is a limit that the caller sets beside the model's own, and the lower of two
limits is what both of them ask for, while providers refuse a request that names more than the model has.

What a protocol cannot express at all (a forced tool, say, or one type of file among many) is refused by its wire.
"""

from __future__ import annotations

from keyway.capabilities import Model
from keyway.catalog.rows import Attachments, Provider
from keyway.chat import ChatRequest, File
from keyway.errors import InvalidRequest

INLINE_BYTES = 10 * 1024 * 1024
"""The largest file that travels inside a request."""


def sanitise(request: ChatRequest, model: Model) -> ChatRequest:
    """``request`` with only what ``model`` takes; the same object when that is all of it.

    Raises:
        InvalidRequest: The temperature is outside the model's range.
    """
    fitting = {
        "temperature": _temperature(request.temperature, model),
        "reasoning_effort": _if_taken(request.reasoning_effort, model.reasoning_efforts),
        "verbosity": _if_taken(request.verbosity, model.verbosities),
        "thinking_level": _if_taken(request.thinking_level, model.thinking_levels),
        "max_tokens": _at_most(request.max_tokens, model.max_output_tokens),
    }
    changed = {field: value for field, value in fitting.items() if value != getattr(request, field)}
    return request.model_copy(update=changed) if changed else request


def check_files(request: ChatRequest, provider: Provider) -> None:
    """Sees to it that ``provider`` takes the files of ``request``.

    A file that the provider is to fetch from its URL is checked for its type only: how large it is, the provider sees.

    Raises:
        InvalidRequest: There are too many, or one is of a type or size that the provider does not take. Names
            ``messages[i].files[j]``.
    """
    count = 0
    for number, message in enumerate(request.messages):
        for index, file in enumerate(message.files):
            count += 1
            problem = _problem(file, count, provider)
            if problem:
                raise InvalidRequest(f"messages[{number}].files[{index}]: {problem}", provider=provider.id)


def _problem(file: File, count: int, provider: Provider) -> str | None:
    taken = provider.attachments
    if taken is None:
        return f"{provider.name} takes no files"
    if taken.max_files is not None and count > taken.max_files:
        return f"{provider.name} takes at most {taken.max_files} files in a request"
    media_type = file.mime_type.partition(";")[0].strip().lower()
    if not _accepted(media_type, taken.accepts):
        return f"{provider.name} takes no file of type {file.mime_type!r}; it takes {', '.join(taken.accepts)}"
    if file.data is None:
        return None
    size = _decoded_bytes(file.data)
    return None if size <= min(INLINE_BYTES, taken.max_bytes) else _too_large(size, taken, provider)


def _too_large(size: int, taken: Attachments, provider: Provider) -> str:
    limit = min(INLINE_BYTES, taken.max_bytes)
    problem = f"{_megabytes(size)} are too much; a file in data may have {_megabytes(limit)}"
    if size > taken.max_bytes or taken.strategy == "inline":
        return f"{problem}, and {provider.name} takes none above {_megabytes(taken.max_bytes)}"
    if taken.strategy == "remote-url":
        return f"{problem}. Send url instead, for {provider.name} to fetch up to {_megabytes(taken.max_bytes)}"
    return f"{problem}. {provider.name} takes larger ones by upload only, which is not offered here yet"


def _accepted(media_type: str, accepts: tuple[str, ...]) -> bool:
    kind = media_type.partition("/")[0]
    return not accepts or media_type in accepts or f"{kind}/*" in accepts


def _decoded_bytes(data: str) -> int:
    """The size of what ``data`` (base64) encodes. Line breaks within it do not count."""
    digits = len(data) - sum(data.count(space) for space in "\r\n\t ")
    return digits * 3 // 4 - data[-8:].rstrip()[-2:].count("=")


def _megabytes(size: int) -> str:
    return f"{size / (1024 * 1024):.3g} MB"


def _temperature(asked: float | None, model: Model) -> float | None:
    if asked is None or model.temperature is None:
        return None
    low, high = model.temperature
    if not low <= asked <= high:
        raise InvalidRequest(f"temperature: must be between {low:g} and {high:g} for {model.id}, not {asked:g}")
    return asked


def _if_taken(asked: str | None, taken: tuple[str, ...]) -> str | None:
    return asked if asked in taken else None


def _at_most(asked: int | None, limit: int | None) -> int | None:
    return asked if asked is None or limit is None else min(asked, limit)
