"""Feature flags out of AppConfig: evaluated by Powertools, read in the background, never in a request's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyway.outside.aws import Aws
from keyway.outside.flags import Flags
from tests.outside.conftest import QUICK, Clock, until
from tests.outside.servers import FAULTS, AppConfigData

FLAG = "hosted-key-llm"
SESSION, POLL = "configurationsessions", "configuration"
ON, OFF = {FLAG: {"default": True}}, {FLAG: {"default": False}}


def rule(*conditions: tuple[str, str, object]) -> dict[str, object]:
    """A document whose flag is on where every (action, key, value) holds."""
    wanted = [{"action": action, "key": key, "value": value} for action, key, value in conditions]
    return {FLAG: {"default": False, "rules": {"some": {"when_match": True, "conditions": wanted}}}}


class Watched:
    """Flags with a clock of their own and the server they read from."""

    def __init__(self, aws: Aws, server: AppConfigData, *, fallback: bool = False, patience: float = 20.0) -> None:
        self.server = server
        self.clock = Clock()
        self.flags = Flags(
            aws,
            application="keyway",
            environment="test",
            fallback={FLAG: fallback},
            patience=patience,
            clocks=self.clock,
        )

    async def on(self, **context: object) -> bool:
        return await self.flags.enabled(FLAG, context)

    async def becomes(self, value: bool) -> None:
        """Returns when the flag has changed to ``value``, while time goes by."""
        while await self.on() is not value:
            self.clock.advance(30)
            await asyncio.sleep(0.001)


def at_once(answer: Coroutine[Any, Any, bool]) -> bool:
    """What ``answer`` comes to without ever waiting."""
    with pytest.raises(StopIteration) as ended:
        answer.send(None)
    return bool(ended.value.value)


@pytest.fixture
async def watched(aws, appconfig):
    made = Watched(aws, appconfig)
    yield made
    await made.flags.stop()


async def test_a_flag_is_on_or_off_for_everybody(watched, appconfig):
    appconfig.deploy(ON)
    assert await watched.on() is True
    appconfig.deploy(OFF)
    await watched.becomes(False)


@pytest.mark.parametrize(
    ("key", "value", "other"),
    [
        ("user_id", "u-1", "u-2"),
        ("org_id", "o-1", "o-2"),
        ("workspace_id", "w-1", "w-2"),
        ("provider", "openai", "mistral"),
        ("is_admin", True, False),
    ],
)
async def test_rules_match_who_asks_and_what_for(watched, appconfig, key, value, other):
    appconfig.deploy(rule(("EQUALS", key, value)))
    assert await watched.on(**{key: value}) is True
    assert await watched.on(**{key: other}) is False
    assert await watched.on() is False


async def test_all_conditions_of_a_rule_have_to_hold(watched, appconfig):
    appconfig.deploy(rule(("IN", "provider", ["openai", "google"]), ("STARTSWITH", "workspace_id", "beta-")))
    assert await watched.on(provider="google", workspace_id="beta-7") is True
    assert await watched.on(provider="google", workspace_id="w-7") is False


async def test_a_rule_that_does_not_fit_its_value_leaves_the_flag_off(watched, appconfig):
    appconfig.deploy(rule(("STARTSWITH", "is_admin", "yes")))
    assert await watched.on(is_admin=True) is False


@pytest.mark.parametrize("document", [{"another": {"default": True}}, {}])
async def test_a_flag_missing_from_the_document_is_off_whatever_the_fallback(aws, appconfig, document):
    watched = Watched(aws, appconfig, fallback=True)
    appconfig.deploy(document)
    assert await watched.on() is False
    await watched.flags.stop()


async def test_a_flag_that_is_no_yes_or_no_is_off(watched, appconfig):
    appconfig.deploy({FLAG: {"default": {"share": 1}, "boolean_type": False}})
    assert await watched.on() is False


@pytest.mark.parametrize("fallback", [True, False])
@pytest.mark.parametrize("missing", [{"application": None}, {"environment": None}, {"application": ""}])
async def test_without_appconfig_the_setting_answers_and_nothing_is_read(aws, appconfig, missing, fallback):
    settings = {"application": "keyway", "environment": "test", **missing}
    flags = Flags(aws, fallback={FLAG: fallback}, **settings)
    flags.start()
    flags.restored()
    assert await flags.enabled(FLAG, {}) is fallback
    assert await flags.enabled("another", {}) is False
    await flags.stop()
    assert appconfig.asked == []


async def test_the_document_is_read_once_by_all_first_callers(watched, appconfig):
    appconfig.deploy(ON)
    watched.flags.start()
    assert await asyncio.gather(*(watched.on() for _ in range(20))) == [True] * 20
    assert appconfig.asked == [SESSION, POLL]
    assert appconfig.sessions[0] == {
        "ApplicationIdentifier": "keyway",
        "EnvironmentIdentifier": "test",
        "ConfigurationProfileIdentifier": "feature-flags",
        "RequiredMinimumPollIntervalInSeconds": 30,
    }


@pytest.mark.parametrize(("interval", "waited"), [(60, 60), (15, 30), (0, 30), (300, 300)])
async def test_polls_are_as_far_apart_as_appconfig_wishes_and_never_closer_than_thirty_seconds(
    watched, appconfig, interval, waited
):
    appconfig.interval = interval
    await watched.on()
    watched.clock.advance(waited - 1)
    await watched.on()
    assert appconfig.asked == [SESSION, POLL]
    watched.clock.advance(1)
    await watched.on()
    await until(lambda: appconfig.asked == [SESSION, POLL, POLL])


async def test_a_poll_uses_the_token_of_the_one_before_and_unchanged_means_unchanged(watched, appconfig, said):
    appconfig.deploy(ON)
    await watched.on()
    while len(appconfig.asked) < 5:
        watched.clock.advance(60)
        assert await watched.on() is True
        await asyncio.sleep(0)
    assert appconfig.asked == [SESSION, POLL, POLL, POLL, POLL]
    assert said() == []


async def test_a_token_that_has_expired_starts_a_new_session(watched, appconfig, said):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.expire()
    appconfig.deploy(OFF)
    await watched.becomes(False)
    assert appconfig.asked[:5] == [SESSION, POLL, POLL, SESSION, POLL]
    assert said() == []


async def test_an_answer_that_is_lost_costs_the_session_not_the_document(watched, appconfig):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.fault = "hung up"
    appconfig.deploy(OFF)
    watched.clock.advance(60)
    assert await watched.on() is True
    await until(lambda: appconfig.asked == [SESSION, POLL, POLL])
    appconfig.fault = None
    await watched.becomes(False)


@pytest.mark.parametrize("fallback", [True, False])
@pytest.mark.parametrize("fault", FAULTS)
async def test_when_the_first_read_fails_the_setting_answers_until_the_background_succeeds(
    aws, appconfig, said, fault, fallback
):
    watched = Watched(aws, appconfig, fallback=fallback)
    appconfig.deploy(OFF if fallback else ON)
    appconfig.fault = fault
    for _ in range(3):
        assert await watched.on() is fallback
    tries = len(appconfig.asked)
    assert tries in (1, 2)  # a session that cannot be started, or one whose first poll fails
    assert len([line for line in said() if "cannot be read, and there is no earlier value" in line]) == 1
    appconfig.fault = None
    watched.clock.advance(29)
    assert await watched.on() is fallback
    assert len(appconfig.asked) == tries
    watched.clock.advance(1)
    assert await watched.on() is fallback  # nobody waits a second time
    await watched.becomes(not fallback)
    assert said()[-1] == "the feature flags' document can be read again"
    await watched.flags.stop()


@pytest.mark.parametrize("fault", FAULTS)
async def test_in_an_outage_the_last_document_stays(aws, appconfig, said, fault):
    watched = Watched(aws, appconfig, fallback=False)
    appconfig.deploy(ON)
    await watched.on()
    appconfig.fault = fault
    before = len(appconfig.asked)
    while len(appconfig.asked) < before + 4:
        watched.clock.advance(60)
        assert await watched.on() is True
        await asyncio.sleep(0)
    appconfig.fault = None
    appconfig.deploy(OFF)
    await watched.becomes(False)
    assert "the last good value stays" in said()[0]
    assert said()[-1] == "the feature flags' document can be read again"
    await watched.flags.stop()


async def test_a_slow_first_read_is_waited_for_once_and_not_longer_than_the_limit(aws, appconfig, said):
    watched = Watched(aws, appconfig, fallback=False, patience=0.2)
    appconfig.deploy(ON)
    appconfig.fault = "slow"
    began = time.monotonic()
    assert await asyncio.gather(*(watched.on() for _ in range(10))) == [False] * 10
    assert 0.2 <= time.monotonic() - began < 10
    assert at_once(watched.on()) is False
    assert said() == ["the feature flags' document was not there in time; going on without it"]
    appconfig.permit()
    await watched.becomes(True)
    assert appconfig.asked[:2] == [SESSION, POLL]
    await watched.flags.stop()


async def test_a_slow_refresh_keeps_nobody_waiting(watched, appconfig):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.fault = "slow"
    watched.clock.advance(60)
    assert at_once(watched.on()) is True
    await until(lambda: appconfig.asked == [SESSION, POLL, POLL])


async def test_a_port_that_nobody_listens_on_is_an_outage(nobody):
    aws = Aws(endpoints={"appconfigdata": nobody}, **QUICK)
    flags = Flags(aws, application="keyway", environment="test", fallback={FLAG: True})
    assert await flags.enabled(FLAG, {}) is True
    await flags.stop()
    aws.stop()


BROKEN = {
    b"{": "the document is not JSON (line 1, column 2)",
    b"[]": "the document is not a JSON object of flag names",
    b"true": "the document is not a JSON object of flag names",
    b"\xff\xfe": "the document is not JSON",
    b'{"hosted-key-llm": {"default": "yes"}}': "feature 'default' boolean key must be present, feature=hosted-key-llm",
    b'{"hosted-key-llm": {"enabled": true}}': "feature 'default' boolean key must be present, feature=hosted-key-llm",
    b'{"hosted-key-llm": {"default": true, "rules": {"r": {"when_match": true}}}}': "Invalid condition, rule=r",
    b'{"hosted-key-llm": {"default": true, "rules": {"r": {"when_match": true, "conditions": [{"action": "IS"}]}}}}':
        "'action' value must be either",
    b'{"hosted-key-llm": {"default": true, "rules": {"r": {"when_match": true, "conditions": '
    b'[{"action": "MODULO_RANGE", "key": "k", "value": 1}]}}}}': "breaks the schema of Powertools feature flags",
}  # fmt: skip


@pytest.mark.parametrize("document", BROKEN, ids=range(len(BROKEN)))
async def test_a_broken_document_is_logged_once_and_the_last_good_one_stays(watched, appconfig, said, document):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.deploy(document)
    while len(appconfig.asked) < 6:
        watched.clock.advance(60)
        assert await watched.on() is True
        await asyncio.sleep(0)
    assert len(said()) == 1
    assert said()[0].startswith("the feature flags' document cannot be read; the last good value stays: ")
    assert BROKEN[document] in said()[0]
    assert appconfig.asked == [SESSION, *[POLL] * 5]  # what it holds is no reason for a new session
    appconfig.deploy(OFF)
    await watched.becomes(False)


async def test_a_broken_first_document_means_the_setting(aws, appconfig, said):
    watched = Watched(aws, appconfig, fallback=True)
    appconfig.deploy(b"{")
    assert await watched.on() is True
    assert len(said()) == 1
    appconfig.deploy(OFF)
    await watched.becomes(False)
    await watched.flags.stop()


async def test_an_empty_profile_means_the_setting(aws, appconfig, said):
    watched = Watched(aws, appconfig, fallback=True)
    appconfig.deploy(b"")
    assert await watched.on() is True
    assert said()[0].endswith("the profile holds no document")
    appconfig.deploy(OFF)
    await watched.becomes(False)
    await watched.flags.stop()


async def test_after_a_restore_a_new_session_is_started_and_waited_for(watched, appconfig, aws):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.deploy(OFF)
    aws.restored()
    watched.flags.restored()
    assert await watched.on() is False
    assert appconfig.asked == [SESSION, POLL, SESSION, POLL]


async def test_after_a_restore_into_an_outage_the_snapshots_document_stays(watched, appconfig, aws):
    appconfig.deploy(ON)
    await watched.on()
    appconfig.fault = "throttled"
    aws.restored()
    watched.flags.restored()
    assert await watched.on() is True


async def test_stopping_in_the_middle_of_a_read_leaves_nothing_behind(watched, appconfig):
    appconfig.fault = "slow"
    watched.flags.start()
    await until(lambda: appconfig.asked == [SESSION])
    await watched.flags.stop()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    assert await watched.on() is False


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # a server for each
)
@given(
    weather=st.lists(st.sampled_from([None, None, *FAULTS]), min_size=1, max_size=8),
    documents=st.lists(st.sampled_from([ON, OFF, b"{", b"", {}]), min_size=8, max_size=8),
)
async def test_whatever_happens_the_answer_is_that_of_some_good_document_or_of_the_setting(session, weather, documents):
    server = AppConfigData()
    own = Aws(endpoints={"appconfigdata": server.url}, read_timeout=5, session=session, **QUICK)
    watched = Watched(own, server, fallback=True, patience=2)
    possible = {True}
    try:
        for fault, document in zip(weather, documents, strict=False):
            server.fault = fault
            server.deploy(document)
            if document in (OFF, {}):
                possible.add(False)
            began = time.monotonic()
            assert await watched.on() in possible
            assert time.monotonic() - began < 10
            watched.clock.advance(61)
            await asyncio.sleep(0.005)
        server.fault = None
        server.deploy(OFF)
        await watched.becomes(False)
    finally:
        await watched.flags.stop()
        own.stop()
        server.close()
