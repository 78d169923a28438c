"""A vendor's words for what went wrong: the body of an HTTP error, and an error inside a stream."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from infra.local.provider.openai_chat.variant import ErrorForm, InBand
from infra.local.provider.protocol import Json
from infra.local.provider.script import Break, Refusal

_STATUS: Mapping[str, int] = {
    "authentication_error": 401,
    "insufficient_quota": 429,
    "invalid_request_error": 400,
    "overloaded_error": 503,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "service_unavailable": 503,
    "tool_use_failed": 400,
}
"""The status that an error inside a stream would have had; of any other it is 500."""


def refusal_body(form: ErrorForm, refusal: Refusal, serial: int) -> bytes:
    """The body of an HTTP error."""
    return json.dumps(_FORMS[form](refusal, serial)).encode()


def error_inside(form: InBand, problem: Break) -> Json:
    """The object that tells of ``problem`` where an answer should have gone on, or have been."""
    status = _STATUS.get(problem.kind, 500)
    error: dict[str, object] = {"message": problem.message, "type": problem.kind, "param": None, "code": problem.kind}
    match form:
        case "event":
            return {"error": {**error, "status_code": status}}
        case "status_beside":
            return {"error": {"message": problem.message, "type": problem.kind, "code": ""}, "status_code": status}
        case "choice":
            metadata = {"provider_name": "Scripted", "raw": problem.message, "error_type": problem.kind}
            return {"error": {"code": status, "message": "Provider returned error", "metadata": metadata}}
        case "text":
            return {"code": problem.kind, "error": problem.message}
        case "error" | "error_then_done":
            return {"error": {**error, "code": status if form == "error_then_done" else problem.kind}}


def _told(refusal: Refusal) -> dict[str, object]:
    return {"message": refusal.message, "type": refusal.kind, "param": refusal.param, "code": refusal.code}


def _openai(refusal: Refusal, _serial: int) -> Json:
    return {"error": _told(refusal)}


def _azure(refusal: Refusal, _serial: int) -> Json:
    if refusal.code == "content_filter":
        blocked = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {}}
        return {"error": {**_told(refusal), "type": None, "status": refusal.status, "innererror": blocked}}
    if refusal.status in (401, 404):
        # The gateway in front speaks here, not the model's service.
        return {"error": {"code": refusal.code or refusal.kind, "message": refusal.message}}
    return {"error": _told(refusal)}


def _groq(refusal: Refusal, _serial: int) -> Json:
    return {"error": {name: value for name, value in _told(refusal).items() if value is not None}}


def _flat(refusal: Refusal, _serial: int) -> Json:
    return _told(refusal)


def _xai(refusal: Refusal, _serial: int) -> Json:
    return {"code": refusal.code or refusal.kind, "error": refusal.message}


def _mistral(refusal: Refusal, serial: int) -> Json:
    """The gateway in front tells of keys and limits in its own way."""
    if refusal.status in (401, 429):
        return {"message": refusal.message, "request_id": f"{serial:032x}"}
    told = {**_told(refusal), "param": None}
    if refusal.status == 422:
        place = ["body", *(refusal.param or "").split(".")]
        detail = [{"type": refusal.code, "loc": place, "msg": refusal.message}]
        told |= {"code": None, "message": {"detail": detail}}
    return {"object": "error", **told, "raw_status_code": refusal.status}


def _openrouter(refusal: Refusal, _serial: int) -> Json:
    error: dict[str, object] = {"message": refusal.message, "code": refusal.status}
    if refusal.status > 500:
        metadata = {"provider_name": "Scripted", "raw": refusal.message}
        error |= {"message": "Provider returned error", "metadata": metadata}
    return {"error": error, "user_id": "user_scripted"}


def _vllm(refusal: Refusal, _serial: int) -> Json:
    return {"error": {**_told(refusal), "code": refusal.status}}


def _fireworks(refusal: Refusal, _serial: int) -> Json:
    code = {"code": refusal.code} if refusal.code else {}
    return {"error": {"object": "error", "type": refusal.kind, **code, "message": refusal.message}}


def _litellm(refusal: Refusal, _serial: int) -> Json:
    return {"error": {**_told(refusal), "code": refusal.code or str(refusal.status)}}


def _text(refusal: Refusal, _serial: int) -> Json:
    return {"error": refusal.message}


_FORMS: Mapping[ErrorForm, Callable[[Refusal, int], Json]] = {
    "openai": _openai,
    "azure": _azure,
    "groq": _groq,
    "flat": _flat,
    "xai": _xai,
    "mistral": _mistral,
    "openrouter": _openrouter,
    "vllm": _vllm,
    "fireworks": _fireworks,
    "litellm": _litellm,
    "text": _text,
}
