"""A session with AppConfig's data plane: the next document, or nothing when it has not changed.

Each token is good for one poll and for 24 hours. A token that is refused, spent, or of unknown fate (an answer that
never arrived) is given up and a new session started, whose first poll brings the whole document.
See "Retrieving configuration data" in the AWS AppConfig user guide. What the document means is ``flags.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keyway.outside.aws import Aws, AwsError

if TYPE_CHECKING:
    from mypy_boto3_appconfigdata.client import AppConfigDataClient

_SHORTEST, _LONGEST = 30, 86_400
"""Seconds between polls."""


@dataclass(frozen=True, slots=True)
class Poll:
    """``document`` is ``None`` when it has not changed; ``interval`` is in seconds."""

    document: bytes | None
    interval: float
    token: str | None


class AppConfigSession:
    """Polls one configuration profile. Not for concurrent polls."""

    def __init__(self, aws: Aws, *, application: str, environment: str, profile: str) -> None:
        self._aws = aws
        self._application = application
        self._environment = environment
        self._profile = profile
        self._token: str | None = None

    async def poll(self) -> Poll:
        """What is new.

        Raises:
            AwsError: AppConfig cannot be reached or refuses.
        """
        if self._token is not None:
            try:
                return await self._latest(self._token)
            except AwsError as error:
                if error.code != "BadRequestException":
                    raise
        return await self._latest(await self._aws.call("appconfigdata", self._start))

    def forget(self) -> None:
        """Gives up the session; the next poll starts another and brings the whole document."""
        self._token = None

    def _start(self, client: AppConfigDataClient) -> str:
        answer = client.start_configuration_session(
            ApplicationIdentifier=self._application,
            EnvironmentIdentifier=self._environment,
            ConfigurationProfileIdentifier=self._profile,
            RequiredMinimumPollIntervalInSeconds=_SHORTEST,
        )
        if not (token := answer.get("InitialConfigurationToken")):
            raise AwsError("appconfigdata:StartConfigurationSession", "no token in the answer")
        return token

    async def _latest(self, token: str) -> Poll:
        self._token = None  # whatever becomes of this call, its token is spent
        poll = await self._aws.call("appconfigdata", lambda client: _get(client, token))
        self._token = poll.token
        return poll


def _get(client: AppConfigDataClient, token: str) -> Poll:
    answer = client.get_latest_configuration(ConfigurationToken=token)
    body = answer["Configuration"]
    try:
        document = body.read()
    finally:
        body.close()
    wish = answer.get("NextPollIntervalInSeconds") or _SHORTEST
    return Poll(
        document=document or None,
        interval=float(min(max(wish, _SHORTEST), _LONGEST)),
        token=answer.get("NextPollConfigurationToken"),
    )
