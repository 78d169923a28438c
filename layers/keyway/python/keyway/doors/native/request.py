"""Reads a native request: camelCase JSON in, ``ChatRequest`` and ``Caller`` out, or one error that names the field.

The URL door refuses keys it does not know; the Step Functions door ignores them, because the states language adds
its own. Keys that only a server may set are dropped in silence on both.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TypeVar, cast

from pydantic import ValidationError

from keyway.chat import EXECUTOR_KINDS, Caller, CamelModel, ChatRequest, Json
from keyway.errors import InvalidRequest
from keyway.faults import faults_of, unknown_fields

_KINDS = {"executor": EXECUTOR_KINDS}
_SERVER_ONLY = frozenset({"hostedKey", "isBYOK"})
_CALLER = frozenset(field.alias or name for name, field in Caller.model_fields.items())

_Model = TypeVar("_Model", bound=CamelModel)


def read_request(body: object, *, ignore_unknown: bool = False) -> tuple[ChatRequest, Caller]:
    """The request and its caller.

    Args:
        body: The decoded JSON, of any shape.
        ignore_unknown: Drop keys we do not know instead of refusing them.

    Raises:
        InvalidRequest: Naming each field at fault and what would be right.
    """
    if not isinstance(body, Mapping):
        raise InvalidRequest(f"the request must be a JSON object, not {_kind(body)}")
    caller = {key: value for key, value in body.items() if key in _CALLER}
    request = {key: value for key, value in body.items() if key not in _CALLER and key not in _SERVER_ONLY}
    return _read(ChatRequest, request, ignore_unknown), _read(Caller, caller, ignore_unknown)


def _read(model: type[_Model], data: Json, ignore_unknown: bool) -> _Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        fault = error
    if ignore_unknown and (unknown := unknown_fields(fault, kinds=_KINDS)):
        return _read(model, _without(data, unknown), ignore_unknown)
    raise InvalidRequest(faults_of(fault, kinds=_KINDS))


def _without(data: Json, places: list[tuple[int | str, ...]]) -> Json:
    """A copy of ``data`` without the keys at ``places``."""
    copy = cast(MutableMapping[str, object], _copied(data))
    for *path, last in places:
        node: object = copy
        for part in path:
            node = node[part]  # type: ignore[index]  # the validator walked the same path
        del cast(MutableMapping[str, object], node)[cast(str, last)]
    return copy


def _copied(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
