"""Events as Lambda sends them, cut down to what the runtime looks at."""

from __future__ import annotations

URL_EVENT: dict[str, object] = {
    "version": "2.0",
    "rawPath": "/v1/execute",
    "headers": {"host": "abc.lambda-url.eu-west-1.on.aws"},
    "requestContext": {"http": {"method": "POST", "path": "/v1/execute"}, "requestId": "r"},
    "isBase64Encoded": False,
}
BARE_EVENT: dict[str, object] = {"provider": "someone", "n": 1}
