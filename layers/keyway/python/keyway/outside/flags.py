"""Feature flags: a document in AppConfig, evaluated by Powertools' feature-flags utility.

Reading is our own, in the background (``kept.py``, ``appconfig.py``), so that an outage neither blocks a request nor
forgets the last good document. A document is checked against Powertools' schema before it takes the place of the
last one. Once a document is there, a flag it does not hold is off; until then, and where AppConfig is not
configured, the fallback setting answers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keyway.outside.appconfig import AppConfigSession
from keyway.outside.aws import Aws
from keyway.outside.kept import Clocks, DocumentError, Kept, Reading, UnreadError, clocks

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.feature_flags import FeatureFlags

PROFILE = "feature-flags"

log = logging.getLogger("keyway")


class Flags:
    """The feature flags of one AppConfig profile.

    Args:
        application, environment: Names or ids; ``None`` when AppConfig is not configured.
        fallback: Flags by name while there is no document.
        patience: Seconds that requests wait, all in all, for the first read.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        application: str | None,
        environment: str | None,
        fallback: Mapping[str, bool],
        patience: float = 2.0,
        clocks: Clocks = clocks,
    ) -> None:
        self._aws = aws
        self._fallback = fallback
        self._patience = patience
        self._refused: DocumentError | None = None
        self._evaluator: Evaluator | None = None
        self._session: AppConfigSession | None = None
        if application and environment:
            self._session = AppConfigSession(aws, application=application, environment=environment, profile=PROFILE)
        self._kept = Kept("the feature flags' document", self._read, insistent=False, clocks=clocks)

    def start(self) -> None:
        """Begins to read in the background. Needs a running event loop."""
        if self._session is not None:
            self._kept.start()

    def restored(self) -> None:
        """Reads anew after a SnapStart restore, in a new session: the snapshot's token may be days old."""
        if self._session is not None:
            self._session.forget()
            self._kept.restored()

    async def stop(self) -> None:
        await self._kept.stop()

    async def enabled(self, name: str, context: Mapping[str, object]) -> bool:
        """Whether flag ``name`` is on for ``context`` (see the rules' keys in the document). Never raises."""
        if self._session is None:
            return self._fallback.get(name, False)
        try:
            evaluator = await self._kept.get(within=self._patience)
        except UnreadError:
            return self._fallback.get(name, False)
        return evaluator.enabled(name, context)

    async def _read(self) -> Reading[Evaluator]:
        assert self._session is not None
        poll = await self._session.poll()
        if (document := poll.document) is not None:
            self._refused = None
            try:
                # In a thread: Powertools takes a tenth of a second to import.
                self._evaluator = await self._aws.prepare(lambda: Evaluator(flag_document(document)))
            except DocumentError as refusal:
                self._refused = refusal
            except BaseException:
                self._session.forget()  # AppConfig would not send this document a second time
                raise
        if self._refused is not None:
            raise self._refused
        if self._evaluator is None:
            raise DocumentError("the profile holds no document")
        return Reading(self._evaluator, poll.interval)


class Evaluator:
    """Powertools over one document that has been found good.

    Raises:
        DocumentError: The document breaks Powertools' schema.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._powertools: FeatureFlags | None = _powertools(document) if document else None

    def enabled(self, name: str, context: Mapping[str, object]) -> bool:
        """Whether flag ``name`` is on; a flag that is not in the document is off."""
        if self._powertools is None:
            return False
        try:
            return self._powertools.evaluate(name=name, context=dict(context), default=False) is True
        except Exception as error:  # noqa: BLE001  a rule Powertools stumbles over must not fail a request
            log.error("flag %s cannot be evaluated, so it is off: %s", name, type(error).__name__)  # noqa: TRY400
            return False


def flag_document(document: bytes) -> dict[str, Any]:
    """The JSON object in ``document``. Raises ``DocumentError`` when it holds something else."""
    try:
        flags = json.loads(document)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DocumentError(f"the document is not JSON{place}") from None
    if not isinstance(flags, dict):
        raise DocumentError("the document is not a JSON object of flag names")
    return flags


def _powertools(document: dict[str, Any]) -> FeatureFlags:
    from aws_lambda_powertools.utilities.feature_flags import FeatureFlags, StoreProvider  # noqa: PLC0415
    from aws_lambda_powertools.utilities.feature_flags.exceptions import SchemaValidationError  # noqa: PLC0415

    class GoodDocument(StoreProvider):
        """Hands Powertools the one document; the same object each time, so that it is checked once."""

        @property
        def get_raw_configuration(self) -> dict[str, Any]:
            return document

        def get_configuration(self) -> dict[str, Any]:
            return document

    evaluator = FeatureFlags(GoodDocument())
    try:
        evaluator.get_configuration()  # runs Powertools' SchemaValidator
    except SchemaValidationError as error:
        raise DocumentError(f"the document breaks the schema of Powertools feature flags: {error}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Its validator takes some shapes for granted.
        raise DocumentError(
            f"the document breaks the schema of Powertools feature flags ({type(error).__name__})"
        ) from None
    return evaluator
