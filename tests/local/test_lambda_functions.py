"""The stand-in for Lambda's ``Invoke`` through boto3: results, failures, throttling, and what it remembers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from mypy_boto3_lambda import LambdaClient

from infra.local.aws import REGION, LocalAws
from infra.local.lambda_functions import LARGEST
from infra.local.outage import Outage
from infra.local.tools import CLOCK_FUNCTION, COUNT_FUNCTION, clock, count_words

ARN = "arn:aws:lambda:us-east-1:123456789012:function:double"


def double(payload: dict[str, Any]) -> object:
    return {"twice": payload["number"] * 2}


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as aws:
        aws.functions.register(ARN, double)
        yield aws


@pytest.fixture
def client(aws: LocalAws) -> Iterator[LambdaClient]:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=REGION)
    once = Config(retries={"total_max_attempts": 1})
    with closing(session.client("lambda", endpoint_url=aws.url, config=once)) as client:
        yield client


def invoke(client: LambdaClient, function: str, payload: object) -> tuple[str | None, Any]:
    """The function's error, if any, and what it gave."""
    answer = client.invoke(FunctionName=function, Payload=json.dumps(payload))
    assert answer["StatusCode"] == 200
    with closing(answer["Payload"]) as body:
        return answer.get("FunctionError"), json.loads(body.read())


@pytest.mark.parametrize("function", [ARN, f"{ARN}:$LATEST", "double"])
def test_a_function_is_invoked_by_its_arn_and_by_its_name(aws: LocalAws, client: LambdaClient, function: str) -> None:
    assert invoke(client, function, {"number": 21}) == (None, {"twice": 42})
    assert [(one.function, one.payload) for one in aws.functions.invocations] == [(function, {"number": 21})]


def test_what_a_function_raises_is_an_answer_with_an_error_told_beside_it(client: LambdaClient) -> None:
    error, body = invoke(client, ARN, {})
    assert error == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("KeyError", "'number'")
    (place,) = body["stackTrace"]
    assert "in double" in place


@pytest.mark.parametrize(
    ("result", "kind"), [({1, 2}, "Runtime.MarshalError"), ("x" * LARGEST, "Function.ResponseSizeTooLarge")]
)
def test_what_cannot_be_sent_is_an_error_of_the_function(
    aws: LocalAws, client: LambdaClient, result: object, kind: str
) -> None:
    aws.functions.register(ARN, lambda _payload: result)
    error, body = invoke(client, ARN, {})
    assert (error, body["errorType"]) == ("Unhandled", kind)


@pytest.mark.parametrize("function", ["unknown", ARN.replace("double", "unknown"), f"{ARN}:live"])
def test_an_unknown_function_is_not_found(aws: LocalAws, client: LambdaClient, function: str) -> None:
    with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Function not found: {function}"):
        invoke(client, function, {})
    assert aws.functions.invocations == []


def test_a_throttled_function_is_refused_as_often_as_declared(aws: LocalAws, client: LambdaClient) -> None:
    aws.functions.throttle(ARN, times=2, retry_after=3)
    for _ in range(2):
        with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
            invoke(client, ARN, {"number": 1})
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
        assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "3"
    assert invoke(client, ARN, {"number": 1}) == (None, {"twice": 2})
    assert len(aws.functions.invocations) == 3


def test_a_payload_that_is_no_json_is_refused(client: LambdaClient) -> None:
    with pytest.raises(client.exceptions.InvalidRequestContentException, match="Could not parse"):
        client.invoke(FunctionName=ARN, Payload=b"{")


def test_an_asynchronous_invocation_is_refused(client: LambdaClient) -> None:
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="synchronously only"):
        client.invoke(FunctionName=ARN, InvocationType="Event", Payload=b"{}")


def test_only_an_arn_without_a_qualifier_can_be_registered(aws: LocalAws) -> None:
    for wrong in ("double", f"{ARN}:live"):
        with pytest.raises(ValueError, match="is not the ARN of a function"):
            aws.functions.register(wrong, double)


def test_an_invocation_is_held_until_the_test_says_so(aws: LocalAws, client: LambdaClient) -> None:
    held = aws.functions.hold(ARN)
    answers: list[Any] = []
    invoking = threading.Thread(target=lambda: answers.append(invoke(client, ARN, {"number": 4})))
    invoking.start()
    held.reached()
    assert answers == []
    held.open()
    invoking.join()
    assert answers == [(None, {"twice": 8})]


def test_an_outage_of_lambda_leaves_the_function_alone(aws: LocalAws, client: LambdaClient) -> None:
    aws.outages.declare("lambda", Outage.DENIED)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        invoke(client, ARN, {"number": 1})
    aws.outages.mend()
    assert invoke(client, ARN, {"number": 1}) == (None, {"twice": 2})
    assert len(aws.functions.invocations) == 1


def test_the_seeded_functions_tell_the_time_and_count_words(aws: LocalAws, client: LambdaClient) -> None:
    aws.functions.register(CLOCK_FUNCTION, clock)
    aws.functions.register(COUNT_FUNCTION, count_words)
    assert invoke(client, CLOCK_FUNCTION, {"arguments": {"utcOffset": 5.5}})[1]["time"].endswith("+05:30")
    error, body = invoke(client, CLOCK_FUNCTION, {"arguments": {"utcOffset": 99}})
    assert (error, body["errorType"]) == ("Unhandled", "ValueError")
    assert invoke(client, COUNT_FUNCTION, {"arguments": {"text": "a b c"}}) == (None, {"words": 3})
