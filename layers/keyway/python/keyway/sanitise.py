"""Fits a request to its model: drops the settings the model does not take. Pure, and the first step of an exchange.

Order: sanitise, find the key, build the provider's messages, send. A wire may therefore rely on every setting it
is given being one that its model takes.

    temperature       dropped when the model refuses the setting; out of the model's range: ``InvalidRequest``
    reasoningEffort   dropped unless it is one of the model's values
    verbosity         the same
    thinkingLevel     the same
    maxTokens         lowered to what the model can generate, when that is known

A temperature is never moved into range in silence: 1.0 and 1.5 are different answers, so the caller has to choose.
``maxTokens`` is another thing. It is a limit that the caller sets beside the model's own, and the lower of two
limits is what both of them ask for, while providers refuse a request that names more than the model has.

What the provider cannot express at all (a file type, a forced tool) is refused by its wire.
"""

from __future__ import annotations

from keyway.capabilities import Model
from keyway.chat import ChatRequest
from keyway.errors import InvalidRequest


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
