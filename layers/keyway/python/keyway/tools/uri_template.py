"""An HTTP tool's URL: a URI template (RFC 6570), checked, and filled with the arguments of one call. Pure.

    https://api.example/items/{id}{?limit,tags*}

What an argument can reach is fixed when a template is checked: scheme, host and port stand there literally, ``{+name}``
and ``{#name}``, which could write any part of a URL, are refused, and no filled path holds ``.`` or ``..``.

- Text is percent-encoded, numbers and booleans are written as JSON has them, arrays and objects as RFC 6570 has them
  (``a,b``; ``tags*`` repeats), and what is nested in those as JSON. ``null`` is an argument that is missing.
- A variable of ``{?...}`` or ``{&...}`` that is missing is left out. Any other must be there and must not be empty:
  ``/items/`` would be all items.

Whether the host is one that may be called at all is ``outside/addresses.py``; the rest of the request is
``template.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from keyway.tools.placeholder import NAME, TemplateError, named, text_of

_LONGEST_URL = 8 * 1024
"""Characters of a filled URL. Nothing much longer is ever put together in between."""

_EXPRESSION = re.compile(r"\{([^{}]*)\}")
_VARIABLE = re.compile(rf"({NAME.pattern})(:[1-9][0-9]{{0,3}}|\*)?")
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(?=[/?]|$)")
_NOT_IN_A_URL = re.compile(r'[^\x21-\x7e]|["<>\\^`|]|%(?![0-9A-Fa-f]{2})')


@dataclass(frozen=True, slots=True)
class _Variable:
    """One name in a URL: whether anything must stand there, and whether it is cut, which only text can be."""

    name: str
    required: bool
    cut: bool


def check_url(url: str, *, trusted: bool) -> set[str]:
    """The names that ``url`` holds, once it is clear that it can be filled.

    Args:
        trusted: It is the operator's, whose services may speak plain HTTP.

    Raises:
        ValueError: It cannot be filled. The message begins with ``url: ``.
    """
    if not url.startswith(("https://", "http://") if trusted else "https://"):
        raise ValueError(f"url: must begin with {'https:// or http://' if trusted else 'https://'}")
    literal = _EXPRESSION.sub("", url)
    if "{" in literal or "}" in literal:
        raise ValueError("url: holds a brace that neither opens nor closes an {expression}")
    if _NOT_IN_A_URL.search(literal):
        raise ValueError("url: must be made of the characters of a URL, all others percent-encoded")
    if "#" in literal:
        raise ValueError("url: must not hold a fragment")
    if (origin := _ORIGIN.match(url)) is None:
        if "@" in url.split("/")[2]:
            raise ValueError("url: must not hold a user or a password")
        raise ValueError(
            "url: must name its host and port, and begin its path, before the first {expression},"
            " as in https://api.example/items/{id}"
        )
    if origin[1] is not None and not 0 < int(origin[1]) < 65536:
        raise ValueError("url: must name a port from 1 to 65535")
    if _goes_up(_EXPRESSION.sub("x", url)):
        raise ValueError("url: must not hold . or .. as a step of its path")
    return {variable.name for variable in _variables(url)}


def _variables(url: str) -> Iterator[_Variable]:
    for expression in _EXPRESSION.finditer(url):
        text, before = expression[1], url[: expression.start()]
        operator = text[0] if text and text[0] in "+#./;?&=,!@|" else ""
        match operator:
            case "+" | "#":
                raise ValueError(f"url: {{{operator}name}} is refused, because it could write any part of the URL")
            case "=" | "," | "!" | "@" | "|":
                raise ValueError(f"url: {{{operator}name}} means nothing in a URI template")
            case "?" if "?" in before or expression.end() < len(url):
                raise ValueError("url: {?name} must come last and be the only query; after a ? it is {&name}")
            case "&" if "?" not in _EXPRESSION.sub("", before):
                raise ValueError("url: {&name} needs a ? before it; {?name} brings its own")
        for variable in text.removeprefix(operator).split(","):
            if not (found := _VARIABLE.fullmatch(variable)):
                raise ValueError("url: an {expression} must be names of letters, digits, _ and -, parted by commas")
            yield _Variable(found[1], operator not in ("?", "&"), (found[2] or "").startswith(":"))


def fill_url(template: str, arguments: Mapping[str, object]) -> str:
    """The URL that ``template``, which was checked, makes of ``arguments``.

    Raises:
        TemplateError: An argument is missing, or is nothing that can stand where it is asked for.
    """
    from uritemplate import expand  # noqa: PLC0415 - few requests need it

    values: dict[str, Any] = {}
    variables = list(_variables(template))
    for variable in variables:
        name = variable.name
        value = values[name] = _for_url(name, arguments.get(name))
        if variable.required and not any(value or ()):
            raise TemplateError(f"the argument {name} is missing, and the URL needs it")
        if variable.cut and isinstance(value, list | dict):
            raise TemplateError(f"the argument {name} must be text, because the URL takes a part of it")
    url = expand(template, values)
    if len(url) > _LONGEST_URL:
        names = named(variable.name for variable in variables)
        raise TemplateError(f"{names} would make the URL longer than {_LONGEST_URL} characters")
    if _goes_up(url):
        names = named(variable.name for variable in variables if variable.required)
        raise TemplateError(f"{names} would make . or .. a step of the URL's path")
    return url


def _for_url(name: str, value: object) -> str | list[str] | dict[str, str] | None:
    """An argument as RFC 6570 takes it; ``None`` when it is missing."""
    match value:
        case None:
            return None
        case Mapping():
            members = {str(key): text_of(name, member) for key, member in value.items() if member is not None}
            _fits_a_url(name, [*members, *members.values()])
            return members or None
        case list() | tuple():
            elements = [text_of(name, element) for element in value if element is not None]
            _fits_a_url(name, elements)
            return elements or None
        case _:
            text = text_of(name, value)
            _fits_a_url(name, [text])
            return text


def _fits_a_url(name: str, texts: Sequence[str]) -> None:
    if sum(map(len, texts)) > _LONGEST_URL:
        raise TemplateError(f"the argument {name} is too long for a URL")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        raise TemplateError(f"the argument {name} holds half a character") from None


def _goes_up(url: str) -> bool:
    """Whether a step of the path is ``.`` or ``..`` to whoever decodes it, were it twice, or sees parameters in it."""
    path = url.partition("?")[0].partition("://")[2].partition("/")[2]
    for _ in range(3):
        if any(step.partition(";")[0] in (".", "..") for step in re.split(r"[/\\]", path)):
            return True
        path = unquote(path)
    return False
