"""Every error a caller can meet, as one tree.

    KeywayError
    ├── InvalidRequest          400  the request is wrong; the message names the field
    ├── KeyRequired             401  no key was found that may pay for this model
    ├── UnpricedModel           400  a platform key would pay, and the model has no known price
    ├── ModelUnavailable        404  the provider or model is unknown, blocked, or not to be had
    ├── AuthFailed              401  the provider refused the key (502 when the key is the platform's)
    ├── RateLimited             429  the provider's rate limit or quota is used up
    ├── ProviderRejected        4xx  the provider refused the request; its status is passed on
    ├── ProviderUnavailable     503  the provider cannot be reached, or failed on its side
    ├── ProviderProtocolError   502  the provider's answer broke its own protocol, or was cut short
    ├── KeyStoreUnavailable     503  stored keys cannot be read, so nobody can be charged rightly
    ├── DeadlineExceeded        504  the time this invocation had is used up
    ├── TooManyToolRounds       422  the model kept calling tools
    └── InternalError           500  a bug of ours

The class name is the ``type`` in JSON and the error name in Step Functions. A message is written for the
person who reads it and never holds a secret, a URL with a key in it, or a stack trace.

This module does not classify provider answers (``wire/failure.py``) and does not decide what is charged
(``billing/settlement.py``).
"""

from __future__ import annotations

from typing import ClassVar


class KeywayError(Exception):
    """The root of the tree; never raised itself.

    Attributes:
        status: The HTTP status the caller sees.
        retryable: Whether the same request may succeed later.
        provider: The provider's id, when one was involved.
        retry_after: Seconds to wait before another try, when the provider named them.
        upstream_status: The provider's HTTP status (or the one its in-band error stands for), if any.
        should_retry: What the provider itself said of another try; ``None`` when it said nothing.
        expected: Tells the runtime that this is an answer, not a bug, so no traceback is logged.
    """

    status: int = 500
    retryable: bool = False
    expected: ClassVar[bool] = True

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        retry_after: float | None = None,
        upstream_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.retry_after = retry_after
        self.upstream_status = upstream_status
        self.should_retry: bool | None = None

    def __str__(self) -> str:
        return self.message

    @property
    def type(self) -> str:
        """The error's public name."""
        return type(self).__name__

    def to_json(self, request_id: str) -> dict[str, object]:
        """The ``error`` object of a response body: type, message, status, retryable, requestId, and what is known."""
        body: dict[str, object] = {"type": self.type, "message": self.message}
        if self.provider is not None:
            body["provider"] = self.provider
        body["status"] = self.status
        body["retryable"] = self.retryable
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        body["requestId"] = request_id
        return body


class InvalidRequest(KeywayError):
    """The request is wrong. ``message`` names the field and says what would be right."""

    status = 400


class KeyRequired(KeywayError):
    """No key was found that may pay for this request."""

    status = 401


class UnpricedModel(KeywayError):
    """A platform key would pay for a model whose price is not known, so the request is not sent."""

    status = 400


class ModelUnavailable(KeywayError):
    """The provider or the model is unknown, blocked by the operator, or not offered to this key."""

    status = 404


class AuthFailed(KeywayError):
    """The provider refused the key: 401 when the key is the caller's or the workspace's, 502 when it is ours."""

    status = 401

    def of_platform(self) -> AuthFailed:
        """The same failure when the platform's key was refused: the caller can do nothing about it."""
        error = AuthFailed(
            f"{self.provider or 'The provider'} refused the platform's key. The operator has to replace it.",
            provider=self.provider,
            upstream_status=self.upstream_status,
        )
        error.status = 502
        return error


class RateLimited(KeywayError):
    """The provider's rate limit or quota is used up. ``retry_after`` is set when the provider named a time."""

    status = 429
    retryable = True


class ProviderRejected(KeywayError):
    """The provider refused the request itself; its 4xx status is passed on."""

    status = 400

    def __init__(self, message: str, *, upstream_status: int, provider: str | None = None) -> None:
        super().__init__(message, provider=provider, upstream_status=upstream_status)
        self.status = upstream_status if 400 <= upstream_status < 500 else 400


class ProviderUnavailable(KeywayError):
    """The provider cannot be reached, is overloaded, or failed on its side."""

    status = 503
    retryable = True


class ProviderProtocolError(KeywayError):
    """The provider's answer broke its own protocol, or ended before it was whole."""

    status = 502
    retryable = True


class KeyStoreUnavailable(KeywayError):
    """The store of workspace or platform keys cannot be read, so it is not known whose key should pay."""

    status = 503
    retryable = True


class DeadlineExceeded(KeywayError):
    """The time this invocation had was used up before the provider finished."""

    status = 504
    retryable = True


class TooManyToolRounds(KeywayError):
    """The model kept calling tools for more rounds than are allowed."""

    status = 422


class InternalError(KeywayError):
    """A bug of ours. The log has its name and place, under the request's id; the caller is told no more."""

    status = 500

    def __init__(self) -> None:
        super().__init__("Keyway failed. The operator finds this request's id in the log.")
