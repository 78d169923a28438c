"""Large answers: one object each, in an S3 bucket.

An object is named after the request, which the log and the ledger name too. It is encrypted as the bucket says
(every bucket of S3 encrypts; naming an algorithm here would only overrule a bucket that does it with a key of its own),
and S3 compares its SHA-256 on arrival. Who may read objects and how long they are kept is the bucket's affair.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
from collections.abc import Mapping

from keyway.outside.aws import Aws, AwsError

log = logging.getLogger(__name__)


class AnswersBucket:
    """The place for answers that are too large to be handed over.

    Args:
        aws: AWS's clients.
        bucket: The bucket's name; ``None`` when the operator has none.
        patience: Seconds that storing one answer may take at most.
    """

    def __init__(self, aws: Aws, *, bucket: str | None, patience: float = 15.0) -> None:
        self._aws = aws
        self._bucket = bucket
        self._patience = patience

    async def put(self, request_id: str, content: bytes, *, within: float) -> Mapping[str, object] | None:
        """Stores ``content``, which is JSON.

        Returns:
            ``bucket``, ``key``, ``bytes`` and ``sha256`` (hexadecimal); ``None`` when it could not be stored, and
            then the log says why.
        """
        bucket, key = self._bucket, f"answers/{request_id}.json"
        if bucket is None:
            log.warning(
                "an answer of %d bytes is returned whole, because ANSWERS_BUCKET is not set; Step Functions takes no"
                " more than 262144",
                len(content),
                extra={"requestId": request_id},
            )
            return None
        digest = hashlib.sha256(content)
        try:
            async with asyncio.timeout(min(self._patience, within)):
                stored = await self._aws.call(
                    "s3",
                    lambda client: client.put_object(
                        Bucket=bucket,
                        Key=key,
                        Body=content,
                        ContentType="application/json",
                        ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
                    ),
                )
            if "ETag" not in stored:  # S3 always sends one; whoever answered, the object may be nowhere
                raise AwsError("s3:PutObject", "an answer that cannot be right")
        except (AwsError, TimeoutError) as error:
            reason = str(error) or "no answer in time"
            log.error(  # noqa: TRY400 - a stack trace may not stand in a log
                "an answer of %d bytes could not be stored and is returned whole: %s",
                len(content),
                reason,
                extra={"requestId": request_id, "bucket": bucket, "reason": reason},
            )
            return None
        return {"bucket": bucket, "key": key, "bytes": len(content), "sha256": digest.hexdigest()}
