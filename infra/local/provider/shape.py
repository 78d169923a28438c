"""The strictness that vendors show towards request bodies: unknown fields and loose types are mistakes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

_FIELD = re.compile(r"[a-z][a-zA-Z_]*")


class Shape(BaseModel):
    """An object of a vendor's request."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Mistake(Exception):  # noqa: N818 - an answer, not a failure of this program
    """A body does not have its shape.

    ``path`` leads to the place, with field names and indexes; ``details`` is pydantic's account of it.
    """

    def __init__(self, path: tuple[str | int, ...], details: ErrorDetails) -> None:
        super().__init__(details["msg"])
        self.path = path
        self.details = details


ShapeT = TypeVar("ShapeT", bound=Shape)


def read(shape: type[ShapeT], body: Mapping[str, object]) -> ShapeT:
    """``body`` as a ``shape``. Raises ``Mistake`` for the mistake that lies deepest.

    Of the alternatives of a union the deepest mistake is the one that was meant: a list of messages with a
    wrong message in it is also not a string.
    """
    try:
        return shape.model_validate(dict(body))
    except ValidationError as error:
        raise _deepest(error.errors(include_url=False)) from None


def mistake(shape: type[Shape], body: Mapping[str, object], *, unknown_fields: bool) -> Mistake | None:
    """The deepest mistake in ``body``, if any. With ``unknown_fields`` the vendor takes no notice of those."""
    try:
        shape.model_validate(dict(body), extra="ignore" if unknown_fields else "forbid")
    except ValidationError as error:
        return _deepest(error.errors(include_url=False))
    return None


def _deepest(found: Sequence[ErrorDetails]) -> Mistake:
    details = max(found, key=lambda one: len(one["loc"]))
    # Pydantic's names for the alternatives of a union (`str`, `list[...]`, a class) are no part of the path.
    path = (step for step in details["loc"] if isinstance(step, int) or (_FIELD.fullmatch(step) and step != "str"))
    return Mistake(tuple(path), details)
