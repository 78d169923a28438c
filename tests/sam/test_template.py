"""What of `make sam` needs no Docker: the template as SAM gets it, and the way from a container to loopback."""

from __future__ import annotations

import asyncio
import json

from infra.build.artifacts import ROOT
from infra.sam.relay import Relay
from infra.sam.template import prepared
from keyway.doors.function_url import is_function_url, json_body, method_and_path
from keyway.doors.native.request import read_request

EVENTS = ROOT / "functions" / "gateway" / "events"


def test_sam_gets_the_gateway_and_may_say_where_aws_is(tmp_path):
    function = {"Handler": "gateway.app.handler", "Environment": {"Variables": {"KEYWAY_HOSTED": "true"}}}
    other = {"Handler": "workspace_keys.app.handler", "Environment": {"Variables": {}}}
    resources = {
        "Gateway1": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Keys1": {"Type": "AWS::Lambda::Function", "Properties": other},
    }
    template = tmp_path / "Gateway.template.json"
    template.write_text(json.dumps({"Resources": resources}))
    copy, name = prepared(template)
    assert (copy.parent, name) == (tmp_path, "Gateway1")
    variables = json.loads(copy.read_text())["Resources"]["Gateway1"]["Properties"]["Environment"]["Variables"]
    assert variables == {"KEYWAY_HOSTED": "true", "AWS_ENDPOINT_URL": "", "PROVIDER_BASE_URLS": ""}


def test_the_example_events_are_what_the_gateway_takes():
    bare = json.loads((EVENTS / "step_functions.json").read_text())
    assert not is_function_url(bare)
    request, caller = read_request(bare)
    assert (request.provider, caller.workspace_id) == ("openai", "ws-demo")
    url = json.loads((EVENTS / "function_url.json").read_text())
    assert is_function_url(url)
    assert method_and_path(url) == ("POST", "/v1/execute")
    request, _ = read_request(json_body(url))
    assert request.stream is True


async def test_a_relay_passes_everything_on_and_ends_with_either_side():
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.read()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(shout, "127.0.0.1", 0)
    async with server, Relay("127.0.0.1", server.sockets[0].getsockname()[1]) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        writer.write(b"hello " * 50_000)
        writer.write_eof()
        assert await reader.read() == b"HELLO " * 50_000
        writer.close()


async def test_where_nobody_listens_the_relay_hangs_up():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    async with Relay("127.0.0.1", port) as relay:
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await reader.read() == b""
        writer.close()
