"""A key and where it came from. It prints its origin and never its secret.

Which key pays is decided in ``resolve.py``; putting it on the wire is ``http_request.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keyway.answer import Origin

_PIECE = 8
"""Length of the shortest part of a secret that is hidden too: vendors quote keys cut short."""

HIDDEN = "[redacted]"
"""What stands in a text in place of a secret."""


def fits_a_header(value: str) -> bool:
    """Whether ``value`` can be sent in an HTTP header: printable ASCII, with no space at either end (RFC 9110, 5.5)."""
    return value.isascii() and value.isprintable() and value == value.strip()


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request is paid with.

    Attributes:
        secret: What the provider asks for; ``None`` when the request is signed with the function's own role, or when
            nothing is sent. For a caller's own AWS keys it is their secret access key.
        origin: Whose it is. With ``none`` the secret, if any, is a placeholder and no secret at all.
        key: The name of the pool's key (``OPENAI_API_KEY_2``), which may be shown; ``None`` for every other origin.
    """

    secret: str | None = field(repr=False)
    origin: Origin
    key: str | None = None

    @property
    def is_platform(self) -> bool:
        """Whether it is the platform's, so that a refusal of it is nothing the caller can mend."""
        return self.origin in ("hosted", "legacy", "ambient")

    def redact(self, text: str) -> str:
        """``text`` with the secret, and every part of it of eight characters or more, replaced by a mark."""
        if not self.secret or self.origin == "none":
            return text
        length = min(_PIECE, len(self.secret))
        pieces = {self.secret[start : start + length] for start in range(len(self.secret) - length + 1)}
        shown: list[str] = []
        kept_to = hidden_to = 0
        for start in range(len(text) - length + 1):
            if text[start : start + length] not in pieces:
                continue
            if start > hidden_to or not hidden_to:
                shown += [text[kept_to:start], HIDDEN]
            kept_to = hidden_to = start + length
        return "".join([*shown, text[kept_to:]])
