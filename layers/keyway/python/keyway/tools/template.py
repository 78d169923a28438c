"""An HTTP tool's request, made of a template and the arguments of one call: URL, headers and body. Pure.

    url       https://api.example/items/{id}{?limit,tags*}    a URI template (RFC 6570)
    headers   {"x-team": "{team}"}                            names in braces, as in str.format
    body      {"query": "{query}", "note": "for {team}"}      the same, in every string of the JSON

What an argument can reach is fixed when a template is checked: a header that belongs to the connection is refused, and
so is anything in braces but a name. An argument stays in the value of its header, and in its own place of the JSON.

A string of the body that is nothing but ``{name}`` becomes the argument's own JSON value, and where the argument is
missing the member or element is left out; a header likewise. In longer text each name must be there, and what is not
text stands there as JSON.

A name is letters, digits, ``_`` and ``-`` (``placeholder.py``). What may stand in a URL is ``uri_template.py``; sending
what was made here is ``outside/http_tools.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Final, TypeAlias

from keyway.chat import HttpExecutor
from keyway.tools.placeholder import NAME, TemplateError, json_of, named, text_of
from keyway.tools.uri_template import check_url, fill_url

_LONGEST_HEADER = 8 * 1024
_LONGEST_BODY = 1024 * 1024
"""Characters of a filled header, bytes of a body. Nothing much longer is ever put together in between."""

_DEEPEST = 64
"""Levels of arrays and objects in a body's template."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e]")
_OURS = frozenset(
    {
        "accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Headers that belong to the connection, or say where and how the request is sent."""

_Pieces: TypeAlias = Sequence[tuple[str, str | None]]
"""Literal texts, each with the name that follows it, if one does."""

_LEFT_OUT: Final = object()


@dataclass(frozen=True, slots=True, repr=False)
class HttpCall:
    """A filled template. It may hold a key that was among the arguments, so it has no readable ``repr``.

    Attributes:
        headers: By name in lower case.
        content: The body, or ``None`` when there is none.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None


def check_template(executor: HttpExecutor, *, trusted: bool) -> frozenset[str]:
    """The names that ``executor``'s template holds, once it is clear that it can be filled.

    Args:
        trusted: It is the operator's, whose services may speak plain HTTP.

    Raises:
        ValueError: It cannot be filled. The message begins with the place: ``url: must begin with https://``.
    """
    names = check_url(executor.url, trusted=trusted)
    seen: set[str] = set()
    for name, value in executor.headers.items():
        if problem := header_problem(name) or (f"{name} is there twice" if name.lower() in seen else ""):
            raise ValueError(f"headers: {problem}")
        seen.add(name.lower())
        pieces = _pieces(value, f"headers.{name}")
        if any(_NOT_IN_A_HEADER.search(literal) for literal, _ in pieces):
            raise ValueError(f"headers.{name}: must be made of printable ASCII characters")
        if len(value) > _LONGEST_HEADER:
            raise ValueError(f"headers.{name}: must not be longer than {_LONGEST_HEADER} characters")
        names.update(_names(pieces))
    return frozenset(names.union(_checked_body(executor.body, "body", 1)))


def header_problem(name: str) -> str | None:
    """Why a tool may have no header called ``name``, if it may not."""
    if not _TOKEN.fullmatch(name):
        return "the name of a header must be made of letters, digits and hyphens"
    return f"{name} is set by the gateway itself" if name.lower() in _OURS else None


def fill_template(executor: HttpExecutor, arguments: Mapping[str, object]) -> HttpCall:
    """The request that ``executor``, whose template was checked, makes of ``arguments``.

    Raises:
        TemplateError: An argument is missing, or is nothing that can stand where it is asked for.
    """
    headers = {}
    for name, template in executor.headers.items():
        if (value := _header(name, template, arguments)) is not None:
            headers[name.lower()] = value
    if (content := _content(executor, arguments)) is not None:
        headers.setdefault("content-type", "application/json")
    return HttpCall(executor.method, fill_url(executor.url, arguments), headers, content)


def _header(name: str, template: str, arguments: Mapping[str, object]) -> str | None:
    """A header's value, or ``None`` when the header is left out."""
    pieces = _pieces(template, name)
    if (alone := _alone(pieces)) is not None and arguments.get(alone) is None:
        return None
    value = _joined(pieces, arguments, f"the header {name}", _LONGEST_HEADER).strip(" \t")
    if _NOT_IN_A_HEADER.search(value):
        raise TemplateError(f"{named(_names(pieces))} would put characters into the header {name} that it cannot carry")
    return value


def _content(executor: HttpExecutor, arguments: Mapping[str, object]) -> bytes | None:
    if executor.sends_arguments:
        content = json_of(dict(arguments), "the arguments are").encode()
    elif executor.body is None:
        return None
    else:
        filled = _Filling(arguments).filled(executor.body)
        if filled is _LEFT_OUT:
            name = _alone(_pieces(executor.body, "body"))
            raise TemplateError(f"the argument {name} is missing, and it is all of the body")
        content = json_of(filled, "the body is").encode()
    if len(content) > _LONGEST_BODY:
        raise TemplateError(f"the arguments would make the body longer than {_LONGEST_BODY} bytes")
    return content


class _Filling:
    """A body that is being filled. ``room`` is what is left of its size: a template may repeat a long argument."""

    def __init__(self, arguments: Mapping[str, object]) -> None:
        self._arguments = arguments
        self._sizes: dict[str, int] = {}
        self._room = _LONGEST_BODY

    def filled(self, template: object) -> object:
        """What ``template`` becomes, or ``_LEFT_OUT``."""
        match template:
            case str():
                return self._string(_pieces(template, "body"))
            case Mapping():
                members = ((name, self.filled(member)) for name, member in template.items())
                return {name: member for name, member in members if member is not _LEFT_OUT}
            case list() | tuple():
                return [element for element in map(self.filled, template) if element is not _LEFT_OUT]
            case _:
                return template

    def _string(self, pieces: _Pieces) -> object:
        if (name := _alone(pieces)) is None:
            text = _joined(pieces, self._arguments, "the body", self._room)
            self._room -= len(text)
            return text
        if (value := self._arguments.get(name, _LEFT_OUT)) is _LEFT_OUT:
            return _LEFT_OUT
        if name not in self._sizes:
            self._sizes[name] = len(json_of(value, f"the argument {name} is"))
        self._room -= self._sizes[name]
        if self._room < 0:
            raise TemplateError(f"the argument {name} would make the body longer than {_LONGEST_BODY} bytes")
        return value


def _checked_body(body: object, place: str, depth: int) -> Iterator[str]:
    """The names that ``body`` holds."""
    if depth > _DEEPEST:
        raise ValueError(f"body: must not be nested more than {_DEEPEST} levels deep")
    match body:
        case str():
            yield from _names(_pieces(body, place))
        case Mapping():
            for name, member in body.items():
                yield from _checked_body(member, f"{place}.{name}", depth + 1)
        case list() | tuple():
            for index, element in enumerate(body):
                yield from _checked_body(element, f"{place}[{index}]", depth + 1)
        case float() if body - body != 0:
            raise ValueError(f"{place}: must be a finite number")


def _pieces(template: str, place: str) -> _Pieces:
    pieces = []
    try:
        for literal, name, form, conversion in Formatter().parse(template):
            if name is not None and (form or conversion or not NAME.fullmatch(name)):
                raise ValueError(name)
            pieces.append((literal, name))
    except ValueError:
        raise ValueError(
            f"{place}: must hold only names in braces, such as {{query}}; a brace that is meant as such is doubled"
        ) from None
    return pieces


def _names(pieces: _Pieces) -> Iterator[str]:
    return (name for _, name in pieces if name is not None)


def _alone(pieces: _Pieces) -> str | None:
    """The name that is all there is."""
    return pieces[0][1] if len(pieces) == 1 and not pieces[0][0] else None


def _joined(pieces: _Pieces, arguments: Mapping[str, object], where: str, longest: int) -> str:
    text = [""]
    length = 0
    for literal, name in pieces:
        text.append(literal)
        if name is not None:
            if (value := arguments.get(name)) is None:
                raise TemplateError(f"the argument {name} is missing, and {where} needs it")
            text[-1] += text_of(name, value)
        length += len(text[-1])
        if length > longest:
            raise TemplateError(f"{named(_names(pieces))} would make {where} too long")
    return "".join(text)
