"""The way to AWS: boto3's clients, made when first needed, used in threads of their own, never on the event loop.

A call is short or it fails: brief timeouts, one retry. What boto3 raises becomes ``AwsError``, which names the
operation and the code and never repeats what was sent or answered. What to do about it is for each store to say:
``secrets.py``, ``flags.py``, ``workspace_keys.py``, ``idempotency.py``, ``answers_bucket.py``, ``tool_limits.py``, and
``lambda_tools.py`` for functions, which may take their time.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_appconfigdata.client import AppConfigDataClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_kms.client import KMSClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

T = TypeVar("T")

_CODE = re.compile(r"[A-Za-z0-9_.:#-]{1,80}")
_THREADS = 16


class S3Client(Protocol):
    """The one thing that is asked of boto3's S3 client."""

    def put_object(
        self,
        *,
        Bucket: str,  # noqa: N803 - boto3's spelling
        Key: str,  # noqa: N803
        Body: bytes,  # noqa: N803
        ContentType: str,  # noqa: N803
        ChecksumSHA256: str,  # noqa: N803
    ) -> Mapping[str, object]: ...


class AwsError(Exception):
    """A call to AWS failed.

    Attributes:
        code: AWS's error code (``AccessDeniedException``), or the name of boto3's own error
            (``ConnectTimeoutError``).
        answered: Whether AWS was reached at all.
    """

    def __init__(self, operation: str, code: str, *, answered: bool = True) -> None:
        super().__init__(f"{operation} failed with {code}")
        self.code = code
        self.answered = answered


class Aws:
    """boto3's clients. One per environment, shared by every store; tools that are functions have their own.

    Args:
        region: ``None`` leaves it to boto3's own settings.
        endpoints: Addresses by service, for tests and local systems; boto3's own settings for all others.
        connect_timeout, read_timeout: Seconds, for each attempt.
        attempts: How often a call is made before it has failed.
        threads: Calls that can be under way at once; further ones wait for a thread.
        session: boto3's session, where there is one already.
    """

    def __init__(
        self,
        *,
        region: str | None = None,
        endpoints: Mapping[str, str] | None = None,
        connect_timeout: float = 1.0,
        read_timeout: float = 2.0,
        attempts: int = 2,
        threads: int = _THREADS,
        session: Session | None = None,
    ) -> None:
        self._region = region
        self._endpoints = endpoints or {}
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._attempts = attempts
        self._most_threads = threads
        self._lock = threading.Lock()
        self._session = session
        self._clients: dict[str, Any] = {}
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="aws")

    @overload
    async def call(self, service: Literal["secretsmanager"], operation: Callable[[SecretsManagerClient], T]) -> T: ...
    @overload
    async def call(self, service: Literal["appconfigdata"], operation: Callable[[AppConfigDataClient], T]) -> T: ...
    @overload
    async def call(self, service: Literal["dynamodb"], operation: Callable[[DynamoDBClient], T]) -> T: ...
    @overload
    async def call(self, service: Literal["kms"], operation: Callable[[KMSClient], T]) -> T: ...
    @overload
    async def call(self, service: Literal["lambda"], operation: Callable[[LambdaClient], T]) -> T: ...
    @overload
    async def call(self, service: Literal["s3"], operation: Callable[[S3Client], T]) -> T: ...
    async def call(self, service: str, operation: Callable[[Any], T]) -> T:
        """What ``operation`` returns when it is given the client of ``service``, in a thread.

        Raises:
            AwsError: AWS refused, could not be reached, or answered with something else.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._run, service, operation)

    async def prepare(self, work: Callable[[], T]) -> T:
        """What ``work`` returns, in one of the same threads: for slow imports and the like."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def restored(self) -> None:
        """After a SnapStart restore: connections from before the snapshot are dead, so clients are made anew."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def stop(self) -> None:
        """Closes every client; calls still waiting for a thread are dropped. Does not wait for those that have one."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.restored()

    def _run(self, service: str, operation: Callable[[Any], T]) -> T:
        client = self._clients.get(service) or self._client(service)
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  boto3 is slow to import

        try:
            return operation(client)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            shown = code if _CODE.fullmatch(code) else "an unreadable code"
            raise AwsError(f"{service}:{error.operation_name}", shown) from None
        except BotoCoreError as error:
            raise AwsError(service, type(error).__name__, answered=False) from None
        except AwsError:
            raise
        except Exception as error:  # noqa: BLE001  boto3 lets anything out of an answer that it cannot parse
            raise AwsError(service, f"{type(error).__name__}, an answer that cannot be read") from None

    def _client(self, service: str) -> Any:
        with self._lock:  # making clients is not safe in threads; using them is
            if service not in self._clients:
                import boto3  # noqa: PLC0415  a tenth of a second that not every caller needs to wait for
                from botocore.config import Config  # noqa: PLC0415

                self._session = self._session or boto3.session.Session()
                make: Callable[..., Any] = self._session.client
                self._clients[service] = make(
                    service,
                    region_name=self._region,
                    endpoint_url=self._endpoints.get(service),
                    config=Config(
                        connect_timeout=self._connect_timeout,
                        read_timeout=self._read_timeout,
                        retries={"mode": "standard", "total_max_attempts": self._attempts},
                        max_pool_connections=self._most_threads,
                    ),
                )
            return self._clients[service]
