"""Signs requests to Amazon Bedrock: with AWS keys, as Signature Version 4 has it, or with a bearer token.

    the caller's access key and secret key   SigV4
    a key without an access key id           Authorization: Bearer  (a Bedrock API key)
    neither                                  the operator's bearer token if there is one, else the function's own role

Who pays has been decided by then (``keys/``). botocore does the arithmetic and finds the role's keys; it is slow to
import and may ask the network, so both happen when a request first needs them, in a thread. Nobody else waits for it.

Sources: the AWS IAM user guide, "Signature Version 4 for API requests"; the Amazon Bedrock user guide, "API keys".
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from keyway.errors import AuthFailed, ProviderUnavailable
from keyway.http_request import HttpRequest, checked_key
from keyway.keys.credential import Credential

if TYPE_CHECKING:
    from botocore.session import Session

_SERVICE = "bedrock"
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """What a signature is made with. A role's keys are temporary and come with a session token."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class AwsSigner:
    """Signs requests. One per environment.

    Args:
        bearer_token: The operator's Bedrock API key (``AWS_BEARER_TOKEN_BEDROCK``), used in place of the role.
        now: The time of day, with a zone. AWS refuses a signature that is more than five minutes off.
    """

    def __init__(
        self, *, bearer_token: str | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._bearer_token = bearer_token
        self._now = now
        self._lock = threading.Lock()
        self._session: Session | None = None

    async def sign(
        self, request: HttpRequest, credential: Credential, *, region: str, access_key_id: str | None
    ) -> HttpRequest:
        """``request`` with the headers that prove who sends it. Sign last: a signature covers body and address.

        Args:
            region: The AWS region the request is sent to.
            access_key_id: The id that belongs to the credential's secret, when that is a caller's AWS secret key.

        Raises:
            AuthFailed: A key cannot stand in a header, or this function has no AWS keys of its own.
            ProviderUnavailable: The function's keys cannot be read at the moment.
        """
        if credential.secret is not None and credential.origin == "caller" and access_key_id:
            keys = AwsKeys(checked_key(access_key_id, request.recipient), credential.secret)
            return await asyncio.to_thread(self._signed, request, keys, region)
        if token := credential.secret or self._bearer_token:
            return _with(request, {"authorization": f"Bearer {checked_key(token, request.recipient)}"})
        return await asyncio.to_thread(self._signed_by_role, request, region)

    def restored(self) -> None:
        """After a SnapStart restore: forgets the role's keys, which may have run out meanwhile."""
        with self._lock:
            self._session = None

    def _signed_by_role(self, request: HttpRequest, region: str) -> HttpRequest:
        return self._signed(request, self._keys_of_role(request.recipient), region)

    def _keys_of_role(self, provider: str) -> AwsKeys:
        import botocore.session  # noqa: PLC0415  slow to import, and of no use to other providers
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            with self._lock:
                self._session = self._session or botocore.session.Session()
                found = self._session.get_credentials()
            keys = found and found.get_frozen_credentials()  # renews them when they are about to run out
        except BotoCoreError as error:
            raise ProviderUnavailable(
                f"The AWS keys of this function cannot be read at the moment ({type(error).__name__}).",
                provider=provider,
            ) from None
        if not keys or not keys.access_key or not keys.secret_key:
            missing = AuthFailed(
                f"This function has no AWS keys of its own for {provider}. The operator has to give it a role; or bring"
                " bedrockAccessKeyId and bedrockSecretKey.",
                provider=provider,
            )
            missing.status = 502
            raise missing
        return AwsKeys(keys.access_key, keys.secret_key, keys.token)

    def _signed(self, request: HttpRequest, keys: AwsKeys, region: str) -> HttpRequest:
        from botocore.auth import SigV4Auth  # noqa: PLC0415
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415

        stamp = self._now().astimezone(UTC).strftime(_STAMP)
        added = {"x-amz-date": stamp}
        if keys.token:
            added["x-amz-security-token"] = keys.token
        # Only what AWS asks to be signed: a proxy on the way may change the rest.
        signed = {"content-type": request.headers["content-type"], **added}
        parts = AWSRequest(method=request.method, url=request.url, headers=signed, data=request.content)
        parts.context["timestamp"] = stamp
        auth = SigV4Auth(Credentials(keys.access_key_id, keys.secret, keys.token), _SERVICE, region)
        # Step by step, because its ``add_auth`` reads the clock itself and writes the session token to a debug log.
        signature = auth.signature(auth.string_to_sign(parts, auth.canonical_request(parts)), parts)
        names = auth.signed_headers(auth.headers_to_sign(parts))
        scope = auth.scope(parts)
        added["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={names}, Signature={signature}"
        return _with(request, added)


def _with(request: HttpRequest, headers: dict[str, str]) -> HttpRequest:
    return replace(request, headers={**request.headers, **headers})
