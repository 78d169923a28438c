"""Reads a Lambda function URL event (payload format 2.0): which path, which method, which JSON body.

An event is one if it says ``version`` "2.0" and has a ``requestContext.http``; any other event is a direct
invocation. What the JSON means is the business of the door behind the path.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

from keyway import strict_json
from keyway.errors import InvalidRequest
from keyway.strict_json import StrictJsonError


def is_function_url(event: object) -> bool:
    """Whether ``event`` is an HTTP request to a function URL."""
    if not isinstance(event, Mapping) or event.get("version") != "2.0":
        return False
    context = event.get("requestContext")
    return isinstance(context, Mapping) and isinstance(context.get("http"), Mapping)


def method_and_path(event: Mapping[str, object]) -> tuple[str, str]:
    """The HTTP method and the path, without a trailing slash (``/`` itself excepted)."""
    context = event["requestContext"]
    assert isinstance(context, Mapping)
    path = str(event.get("rawPath") or context["http"].get("path") or "/")
    return str(context["http"].get("method", "")).upper(), path.rstrip("/") or "/"


def json_body(event: Mapping[str, object]) -> object:
    """The decoded JSON body.

    Raises:
        InvalidRequest: The body is missing, not valid base64 or UTF-8, or not JSON; the message says where.
    """
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise InvalidRequest("the body is empty: send a JSON object")
    try:
        text = base64.b64decode(body, validate=True).decode() if event.get("isBase64Encoded") else body
        return strict_json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"the body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except StrictJsonError as error:
        raise InvalidRequest(f"the body {error}") from None
    except (binascii.Error, UnicodeDecodeError):
        raise InvalidRequest("the body is not UTF-8 text") from None
    except ValueError:
        # Python reads no whole number of more than some thousand digits, and no base64 outside ASCII.
        raise InvalidRequest("the body is not JSON: it holds a number or a character that cannot be read") from None
