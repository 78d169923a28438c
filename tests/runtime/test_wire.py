"""What goes over the socket, byte for byte."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

from stream_runtime import Context, Response
from tests.runtime.bodies import Body
from tests.runtime.conftest import Serve
from tests.runtime.events import BARE_EVENT, URL_EVENT
from tests.runtime.scripted_api import NEXT, ScriptedRuntimeApi, unchunk

NULS = b"\0\0\0\0\0\0\0\0"


async def test_a_stream_is_prelude_nuls_and_body_each_in_a_chunk_of_its_own(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"data: one\n\n"
        yield b"data: two\n\n"

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {"content-type": "text/event-stream"}, body(), ["a=1", "b=2"])

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    assert (
        request.head
        == (
            b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"
            b"Host: %b\r\n"
            b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"
            b"Content-Type: application/vnd.awslambda.http-integration-response\r\n"
            b"Transfer-Encoding: chunked\r\n"
            b"Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
            b"\r\n"
        )
        % api.address.encode()
    )
    assert request.body == (
        b'59\r\n{"statusCode":200,"headers":{"content-type":"text/event-stream"},"cookies":["a=1","b=2"]}\r\n'
        b"8\r\n" + NULS + b"\r\n"
        b"b\r\ndata: one\n\n\r\n"
        b"b\r\ndata: two\n\n\r\n"
        b"0\r\n\r\n"
    )


async def test_a_bare_event_is_answered_with_plain_json(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(event: dict[str, object], _: Context) -> object:
        return {"got": event, "text": "é"}

    api.invoke(BARE_EVENT)
    async with serve(handler):
        request = await api.answer()
    body = '{"got":{"provider":"someone","n":1},"text":"é"}'.encode()
    assert request.head == (
        b"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\n"
        b"Host: %b\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: %d\r\n"
        b"\r\n"
    ) % (api.address.encode(), len(body))
    assert request.body == body


async def test_a_body_of_bytes_is_one_chunk(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(404, {}, b"no")

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    assert request.body == (b'1f\r\n{"statusCode":404,"headers":{}}\r\n8\r\n' + NULS + b"\r\n2\r\nno\r\n0\r\n\r\n")


async def test_an_empty_body_still_has_a_chunk_and_an_end(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, Body(b""))

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    assert request.body.endswith(NULS + b"\r\n1\r\n\n\r\n0\r\n\r\n")


async def test_a_status_without_content_gets_no_byte_of_body(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(204)

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    assert request.body.endswith(NULS + b"\r\n0\r\n\r\n")


async def test_an_exception_in_the_stream_becomes_trailers(api: ScriptedRuntimeApi, serve: Serve) -> None:
    class ProviderError(Exception):
        expected = True

    async def handler(_: dict[str, object], __: Context) -> Response:
        return Response(200, {}, Body(b"half", ProviderError("it left")))

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    error = base64.b64encode(
        b'{"errorMessage": "it left", "errorType": "ProviderError", "stackTrace": [], "requestId": "id-1"}'
    )
    assert request.body.endswith(
        b"4\r\nhalf\r\n"
        b"0\r\n"
        b"Lambda-Runtime-Function-Error-Type: ProviderError\r\n"
        b"Lambda-Runtime-Function-Error-Body: " + error + b"\r\n"
        b"\r\n"
    )


async def test_an_exception_of_a_bare_event_is_the_error_call(api: ScriptedRuntimeApi, serve: Serve) -> None:
    class KeyMissingError(Exception):
        expected = True

    async def handler(_: dict[str, object], __: Context) -> object:
        raise KeyMissingError("no key for someone")

    api.invoke(BARE_EVENT)
    async with serve(handler):
        request = await api.answer(call="error")
    assert request.headers["lambda-runtime-function-error-type"] == "KeyMissingError"
    assert json.loads(request.body) == {
        "errorMessage": "no key for someone",
        "errorType": "KeyMissingError",
        "stackTrace": [],
        "requestId": "id-1",
    }


async def test_an_exception_of_a_url_event_is_an_http_error_that_tells_a_stranger_nothing(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def handler(_: dict[str, object], __: Context) -> Response:
        raise ZeroDivisionError("sk-secret / 0")

    api.invoke(URL_EVENT)
    async with serve(handler):
        request = await api.answer()
    prelude, nuls, body = unchunk(request.body).chunks
    assert json.loads(prelude) == {"statusCode": 500, "headers": {"content-type": "application/json"}}
    assert nuls == NULS
    assert json.loads(body) == {
        "error": {"type": "ZeroDivisionError", "message": "internal error", "requestId": "id-1"}
    }
    assert b"secret" not in request.body
    assert not api.matching("POST /2018-06-01/runtime/invocation/id-1/error")


async def test_the_invocation_id_is_echoed_on_every_answer(api: ScriptedRuntimeApi, serve: Serve) -> None:
    async def handler(event: dict[str, object], __: Context) -> object:
        if event == {"fail": True}:
            raise ValueError
        return event

    for number, event in enumerate([URL_EVENT, BARE_EVENT, {"fail": True}]):
        api.invoke(event, f"id-{number}", headers=(f"Lambda-Runtime-Invocation-Id: again-{number}",))
    async with serve(handler):
        requests = [await api.answer("id-0"), await api.answer("id-1"), await api.answer("id-2", call="error")]
    assert [each.headers["lambda-runtime-invocation-id"] for each in requests] == ["again-0", "again-1", "again-2"]


async def test_next_and_buffered_answers_share_a_connection_and_a_stream_has_its_own(
    api: ScriptedRuntimeApi, serve: Serve
) -> None:
    async def handler(event: dict[str, object], __: Context) -> object:
        return event

    api.invoke(BARE_EVENT, "id-1")
    api.invoke(URL_EVENT, "id-2")
    api.invoke(BARE_EVENT, "id-3")
    async with serve(handler):
        stream, last = await api.answer("id-2"), await api.answer("id-3")
        await api.asked_for_next(4)
    assert {each.connection for each in [*api.matching(NEXT), await api.answer("id-1"), last]} == {1}
    assert stream.connection == 2


async def test_the_context_has_what_the_headers_said(api: ScriptedRuntimeApi, serve: Serve) -> None:
    seen: list[Context] = []

    async def handler(_: dict[str, object], context: Context) -> object:
        seen.append(context)
        return None

    api.invoke(
        BARE_EVENT,
        headers=(
            "Lambda-Runtime-Trace-Id: Root=1-2-3",
            'Lambda-Runtime-Client-Context: {"custom":{"a":"b"}}',
            'Lambda-Runtime-Cognito-Identity: {"identityId":"me"}',
            "Lambda-Runtime-Aws-Tenant-Id: tenant-9",
        ),
        seconds=60,
    )
    async with serve(handler):
        assert (await api.answer()).body == b"null"
    (context,) = seen
    assert context.request_id == context.aws_request_id == "id-1"
    assert context.invoked_function_arn == "arn:aws:lambda:eu-west-1:123456789012:function:f"
    assert (context.function_name, context.function_version, context.memory_limit_in_mb) == ("f", "7", 512)
    assert context.trace_id == "Root=1-2-3"
    assert context.client_context == {"custom": {"a": "b"}}
    assert context.cognito_identity == {"identityId": "me"}
    assert context.tenant_id == "tenant-9"
    assert 50 < context.remaining_seconds() <= 60
    assert 50_000 < context.get_remaining_time_in_millis() <= 60_000
