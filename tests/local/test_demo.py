"""``make demo`` and ``make dev`` as their users run them: commands, what they print, how they end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from infra.local.provider import Refusal, Script, ScriptedProvider, words
from infra.local.real_keys import RealVendor, real_vendors

pytestmark = pytest.mark.timeout(180)  # whole systems are started, some twice

ROOT = Path(__file__).resolve().parents[2]
REAL_KEY = "sk-real-key-of-somebody-51f0"


def environment(**more: str) -> dict[str, str]:
    """A shell without any provider's key, in which the project can be imported."""
    path = [ROOT, ROOT / "layers" / "keyway" / "python", ROOT / "layers" / "stream_runtime" / "python"]
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, path)), **more}


@asynccontextmanager
async def command(module: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs ``python -m module``, and ends it by its own id if it is still there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        module,
        cwd=ROOT,
        env=environment(**more),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def demo(**more: str) -> tuple[int | None, str, str]:
    """Exit code and output of the demo."""
    async with command("infra.local.demo", **more) as process:
        out, err = await process.communicate()
        return process.returncode, out.decode(), err.decode()


async def test_the_demo_shows_tokens_the_key_the_cost_and_the_metrics_and_exits_0() -> None:
    status, out, err = await demo()
    assert (status, err) == (0, "")
    assert "\x1b" not in out
    assert len(re.findall(r"^ +\d+\.\d ms  \S+$", out, re.MULTILINE)) > 20
    for vendor, times in (("OPENAI", 2), ("ANTHROPIC", 1)):
        assert len(re.findall(rf"paid by  {vendor}_API_KEY_[12] \(hosted\)", out)) == times
    assert len(re.findall(r"^  cost +\$0\.000\d+ = ", out, re.MULTILINE)) == 2
    assert len(re.findall(r"^    CostCharged +0\.000\d+ USD", out, re.MULTILINE)) == 2
    assert '"Namespace":"Keyway/HostedKey"' in out
    assert '"finishReason": "stop"' in out
    assert "maxTokens: should be greater than 0" in out


async def test_the_demo_shows_a_tool_run_on_a_hosted_key_of_its_own() -> None:
    _, out, _ = await demo()
    shown = re.findall(r"^ +\d+\.\d ms  (tool_call_start|tool_call_end|turn_end) (\{.*\})$", out, re.MULTILINE)
    told = [(name, json.loads(data)) for name, data in shown]
    assert [(name, data.get("status") or data.get("turn")) for name, data in told if data.get("turn") != "final"] == [
        ("tool_call_start", None),
        ("turn_end", "intermediate"),
        ("tool_call_end", "success"),
    ]
    assert re.search(r"^  cost +\$0\.00\d+ = .* \+ \$0\.005 for tools, at", out, re.MULTILINE)
    assert re.search(r"^    Used +1 Count +.*Tool=web_search  Key=SEARCH_API_KEY_[12]", out, re.MULTILINE)
    assert re.search(r"^    CostCharged +0\.005 USD +.*Tool=web_search", out, re.MULTILINE)


async def test_a_model_that_does_not_use_the_tool_ends_the_demo_with_1() -> None:
    async with ScriptedProvider() as vendor:
        vendor.reply(Script(*words("I know that already without searching.")), asked="web_search")
        status, _, err = await demo(OPENAI_API_KEY=REAL_KEY, OPENAI_BASE_URL=vendor.base_urls["openai"])
    assert status == 1
    assert "the events should come in the order" in err


async def test_with_a_real_key_the_demo_calls_the_real_provider() -> None:
    async with ScriptedProvider(keys={"openai": {REAL_KEY}}) as vendor:
        address = vendor.base_urls["openai"]
        status, out, err = await demo(OPENAI_API_KEY_1=REAL_KEY, OPENAI_BASE_URL=address)
        assert (status, err) == (0, "")
        assert [received.key for received in vendor.requests] == [REAL_KEY] * 4
    assert f"{address}  (called for real, with OPENAI_API_KEY_1)" in out
    assert "paid by  OPENAI_API_KEY_1 (hosted)" in out
    assert re.search(r"paid by  ANTHROPIC_API_KEY_[12] \(hosted\)", out)
    assert REAL_KEY not in out


@pytest.mark.parametrize(
    ("variables", "keys"),
    [
        ({}, None),
        ({"OPENAI_API_KEY": ""}, None),
        ({"OPENAI_API_KEY": "a"}, {"OPENAI_API_KEY_1": "a"}),
        ({"OPENAI_API_KEY": "a", "OPENAI_API_KEY_1": "b"}, {"OPENAI_API_KEY_1": "b"}),
        ({"OPENAI_API_KEY_2": "c", "OPENAI_API_KEY_1": "b"}, {"OPENAI_API_KEY_1": "b", "OPENAI_API_KEY_2": "c"}),
        ({"OPENAI_API_KEY_COUNT": "2", "MY_OPENAI_API_KEY": "a"}, None),
    ],
)
def test_a_real_key_is_known_by_its_name(variables: dict[str, str], keys: dict[str, str] | None) -> None:
    found = real_vendors({**variables, "ANTHROPIC_BASE_URL": "http://nowhere"})
    assert found == ({} if keys is None else {"openai": RealVendor(keys)})


async def test_a_refused_key_ends_the_demo_with_1_and_the_reason() -> None:
    async with ScriptedProvider() as vendor:
        vendor.reply(Refusal(401, "invalid_request_error", f"Incorrect API key provided: {REAL_KEY}"))
        status, out, err = await demo(OPENAI_API_KEY=REAL_KEY, OPENAI_BASE_URL=vendor.base_urls["openai"])
    assert status == 1
    assert "The demo failed: status 502" in err
    assert "refused the platform's key" in err
    assert REAL_KEY not in out + err


async def test_tokens_that_do_not_come_one_by_one_end_the_demo_with_1() -> None:
    async with ScriptedProvider() as vendor:
        vendor.reply(Script(*words("everything_at_once")))
        status, _, err = await demo(OPENAI_API_KEY=REAL_KEY, OPENAI_BASE_URL=vendor.base_urls["openai"])
    assert status == 1
    assert "not one by one" in err


async def opening(process: asyncio.subprocess.Process) -> str:
    """What ``make dev`` says until it is up."""
    assert process.stdout is not None
    shown = ""
    while "What the function writes" not in shown:
        line = await process.stdout.readline()
        assert line, (await process.communicate())[1].decode()
        shown += line.decode()
    return shown


async def test_dev_stays_up_prints_commands_and_lines_and_leaves_nothing_behind() -> None:
    async with command("infra.local.dev", PORT="0") as process:
        assert process.stdout is not None
        shown = await opening(process)
        url = re.search(r"function URL +(\S+)", shown)
        assert url is not None
        assert f"curl -sN {url[1]}/v1/execute -d '" in shown
        function = re.search(r"the gateway in process (\d+)", shown)
        assert function is not None
        assert alive(int(function[1]))
        body = re.search(r"curl -sN \S+/v1/execute -d '(\{.*\})'", shown)
        assert body is not None
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            answer = await http.post(f"{url[1]}/v1/execute", content=body[1])
        assert "event: done" in answer.text
        line = await process.stdout.readline()
        assert b'"_aws"' in line
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        assert b"Stopped." in out
    assert not alive(int(function[1]))


async def test_every_command_that_dev_prints_does_what_is_said_of_it() -> None:
    async with command("infra.local.dev", PORT="0") as process, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        shown = await opening(process)
        rest = asyncio.create_task(process.communicate())  # reads on, or the function could not write
        done: dict[str, str] = {}
        for about, line in re.findall(r"^  # (.*)\n  (curl .*)$", shown, re.MULTILINE):
            _, _, url, *body = shlex.split(line)
            sent = http.post(url, content=body[1]) if body else http.get(url)
            done[about] = (await sent).raise_for_status().text
        process.send_signal(signal.SIGINT)
        await rest
    about_tools = [answer for about, answer in done.items() if "tool" in about or "Lambda" in about]
    searched, told, counted, handed_back = about_tools
    assert '"toolCost": 0.005' in searched
    assert '"toolCost"' not in told
    assert "+01:00" in json.loads(told)["toolCalls"][0]["result"]["time"]
    assert json.loads(counted)["toolResults"] == [{"words": 3}]
    assert (json.loads(handed_back)["finishReason"], json.loads(handed_back)["toolResults"]) == ("tool_calls", [])
    assert not [answer for answer in done.values() if '"error"' in answer]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
