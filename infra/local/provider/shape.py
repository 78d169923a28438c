"""The strictness that vendors show towards request bodies: unknown fields and loose types are mistakes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

_FIELD = re.compile(r"[a-z_]+")


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
        details = max(error.errors(include_url=False), key=lambda mistake: len(mistake["loc"]))
    # Pydantic's names for the alternatives of a union (`str`, `list[...]`, a class) are no part of the path.
    path = (step for step in details["loc"] if isinstance(step, int) or (_FIELD.fullmatch(step) and step != "str"))
    raise Mistake(tuple(path), details)
