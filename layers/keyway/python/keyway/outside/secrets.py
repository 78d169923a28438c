"""The platform's own keys: one Secrets Manager secret, a flat JSON object of name to key.

    {"OPENAI_API_KEY_1": "…", "OPENAI_API_KEY_2": "…", "OPENAI_API_KEY_COUNT": "2", "FIREWORKS_API_KEY": "…"}

The document is kept in memory and read again off the request path (``kept.py``). One that has another shape is
refused whole, and the log says what is wrong with it without quoting it. Which key has its turn is ``keys/pool.py``.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping

from keyway.errors import KeyStoreUnavailable
from keyway.outside.aws import Aws
from keyway.outside.kept import Clocks, DocumentError, Kept, Reading, UnreadError, clocks

log = logging.getLogger("keyway")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,127}")

_KINDS = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}


class HostedKeys:
    """The platform's keys by name.

    Args:
        secret_id: The secret's name or ARN; ``None`` when the operator configured none.
        max_age: Seconds after which the document is read again.
        patience: Seconds a request waits for the first read.
    """

    def __init__(
        self,
        aws: Aws,
        secret_id: str | None,
        *,
        max_age: float = 300.0,
        patience: float = 5.0,
        clocks: Clocks = clocks,
    ) -> None:
        self._aws = aws
        self._max_age = max_age
        self._patience = patience
        self._secret_id = secret_id or ""
        self._said_empty = False
        self._kept = Kept("the secret of hosted keys", self._read, insistent=True, clocks=clocks)

    def start(self) -> None:
        """Begins to read in the background. Needs a running event loop."""
        if self._secret_id:
            self._kept.start()

    def restored(self) -> None:
        """Reads anew after a SnapStart restore; what the snapshot held is used only if that fails."""
        if self._secret_id:
            self._kept.restored()

    async def stop(self) -> None:
        await self._kept.stop()

    async def current(self) -> Mapping[str, str]:
        """The document. Waits for the first read only.

        Raises:
            KeyStoreUnavailable: It was never read and cannot be read now.
        """
        if not self._secret_id:
            return {}
        try:
            return await self._kept.get(within=self._patience)
        except UnreadError:
            raise KeyStoreUnavailable("The platform's keys cannot be read at the moment. Try again soon.") from None

    async def _read(self) -> Reading[Mapping[str, str]]:
        answer = await self._aws.call(
            "secretsmanager", lambda client: client.get_secret_value(SecretId=self._secret_id)
        )
        document = key_document(answer.get("SecretString"))
        if not document and not self._said_empty:
            # A fresh deployment's secret is valid and empty; what is refused for it should not be a riddle.
            log.warning("the secret of hosted keys holds no keys yet, so no platform key can pay; put them in")
        self._said_empty = not document
        return Reading(document, self._max_age)


def key_document(text: str | None) -> Mapping[str, str]:
    """The keys by name from the text of the secret, without white space around them.

    Raises:
        DocumentError: It is not a flat JSON object of strings. A ``…_COUNT`` may also be a number.
    """
    if text is None:
        raise DocumentError("the secret holds binary data, not a JSON object of name to key")
    try:
        document = json.loads(text)
    except ValueError as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DocumentError(f"the secret is not JSON{place}; it has to be an object of name to key") from None
    except RecursionError:
        raise DocumentError("the secret is nested; it has to be a flat object of name to key") from None
    if not isinstance(document, dict):
        raise DocumentError(f"the secret is {_kind(document)}; it has to be a JSON object of name to key")
    keys: dict[str, str] = {}
    for position, (name, value) in enumerate(document.items(), start=1):
        # A key put where a name belongs must not be shown as one.
        shown = name if _NAME.fullmatch(name) else f"entry {position}"
        if name.endswith("_COUNT") and isinstance(value, int) and not isinstance(value, bool):
            keys[name] = str(value)
        elif isinstance(value, str):
            keys[name] = value.strip()
        else:
            raise DocumentError(f"{shown} is {_kind(value)}; it has to be a string")
    return keys


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a number")
