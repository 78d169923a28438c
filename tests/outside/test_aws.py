"""boto3 behind its seam: lazy, off the event loop, short, and with errors that quote nothing."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from keyway.outside.aws import Aws, AwsError
from tests.outside.conftest import QUICK
from tests.outside.servers import LEAK, REPLIES

SOURCES = Path(__file__).resolve().parents[2] / "layers" / "keyway" / "python"


async def secret(aws: Aws) -> object:
    return await aws.call("secretsmanager", lambda client: client.get_secret_value(SecretId="nothing"))


def test_importing_the_stores_imports_neither_boto3_nor_powertools():
    code = (
        "import sys, keyway.outside.secrets, keyway.outside.flags, keyway.outside.workspace_keys\n"
        "from keyway.outside.aws import Aws\n"
        "aws = Aws(); keyway.outside.flags.Flags(aws, application='a', environment='e', fallback={})\n"
        "print([name for name in ('boto3', 'botocore', 'aws_lambda_powertools') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=SOURCES, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("fault", "message", "answered"),
    [
        ("broken", "secretsmanager:GetSecretValue failed with InternalServerError", True),
        ("throttled", "secretsmanager:GetSecretValue failed with ThrottlingException", True),
        ("denied", "secretsmanager:GetSecretValue failed with AccessDeniedException", True),
        ("an error page", "secretsmanager:GetSecretValue failed with 502", True),
        ("hung up", "secretsmanager failed with ConnectionClosedError", False),
        (None, "secretsmanager:GetSecretValue failed with ResourceNotFoundException", True),
    ],
)
async def test_a_failure_names_the_operation_and_the_code(aws, proxy, fault, message, answered):
    proxy.fault = fault
    with pytest.raises(AwsError) as raised:
        await secret(aws)
    assert (str(raised.value), raised.value.answered) == (message, answered)
    assert LEAK not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_a_code_that_is_no_code_is_not_shown(aws, proxy):
    proxy.fault = "broken"
    proxy.faults = {"GetSecretValue": REPLIES["broken"]._replace(headers={"x-amzn-errortype": f"said: {LEAK}!"})}
    with pytest.raises(AwsError) as raised:
        await secret(aws)
    assert LEAK not in str(raised.value)


async def test_a_port_that_nobody_listens_on_is_named(nobody):
    aws = Aws(endpoints={"secretsmanager": nobody}, **QUICK)
    with pytest.raises(AwsError, match=r"^secretsmanager failed with EndpointConnectionError$") as raised:
        await secret(aws)
    assert not raised.value.answered
    aws.stop()


async def test_silence_ends_after_the_read_timeout(proxy):
    aws = Aws(endpoints={"secretsmanager": proxy.url}, read_timeout=0.2, **QUICK)
    proxy.fault = "slow"
    with pytest.raises(AwsError, match=r"^secretsmanager failed with ReadTimeoutError$"):
        await secret(aws)
    aws.stop()


async def test_a_call_is_made_twice_before_it_has_failed(proxy):
    aws = Aws(endpoints={"secretsmanager": proxy.url}, region="eu-west-1")
    proxy.fault = "hung up"
    with pytest.raises(AwsError):
        await secret(aws)
    assert proxy.asked == ["GetSecretValue"] * 2
    aws.stop()


async def test_the_event_loop_goes_on_while_aws_is_slow(aws, proxy):
    proxy.fault = "slow"
    calls = [asyncio.create_task(secret(aws)) for _ in range(3)]
    while len(proxy.asked) < 3:  # noqa: ASYNC110  that this turns at all is the point
        await asyncio.sleep(0)
    assert not any(call.done() for call in calls)
    proxy.permit()
    assert all(isinstance(result, AwsError) for result in await asyncio.gather(*calls, return_exceptions=True))


async def test_without_credentials_a_call_fails_and_says_so(proxy, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    aws = Aws(endpoints={"secretsmanager": proxy.url}, **QUICK)
    with pytest.raises(AwsError, match=r"^secretsmanager failed with NoCredentialsError$"):
        await secret(aws)
    assert proxy.asked == []
    aws.stop()


async def test_clients_work_after_a_restore(aws, proxy):
    for _ in range(2):
        with pytest.raises(AwsError, match="ResourceNotFoundException"):
            await secret(aws)
        aws.restored()
    assert len(proxy.asked) == 2
