"""The platform's keys out of Secrets Manager: read once, kept, refreshed off the request path, never lost."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyway.errors import KeyStoreUnavailable
from keyway.outside.aws import Aws
from keyway.outside.kept import DocumentError, Reading
from keyway.outside.secrets import HostedKeys, key_document
from tests.outside.conftest import QUICK, until
from tests.outside.servers import FAULTS, LEAK

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager.client import SecretsManagerClient

NAME = "keyway/hosted"
READ = "GetSecretValue"
ONE = {"OPENAI_API_KEY_1": "one"}


class Secret:
    """The secret as its operator sees it."""

    def __init__(self, client: SecretsManagerClient) -> None:
        self.client = client
        self.client.create_secret(Name=NAME, SecretString="{}")

    def put(self, value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.client.put_secret_value(SecretId=NAME, SecretString=text)

    def close(self) -> None:
        self.client.delete_secret(SecretId=NAME, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def secret(operator):
    made = Secret(operator("secretsmanager"))
    made.put(ONE)
    yield made
    made.close()


@pytest.fixture
async def keys(aws, clock, secret):  # noqa: ARG001  the secret has to be there
    made = HostedKeys(aws, NAME, clocks=clock)
    yield made
    await made.stop()


async def test_the_document_is_read_once_and_kept(keys, proxy):
    for _ in range(3):
        assert await keys.current() == ONE
    assert proxy.asked == [READ]


async def test_a_secret_without_keys_is_read_and_said_once(keys, secret, clock, proxy, caplog):
    secret.put({})
    assert await keys.current() == {}
    clock.advance(301)
    assert await keys.current() == {}
    await until(lambda: proxy.asked == [READ, READ])
    said = [record.message for record in caplog.records if record.name == "keyway"]
    assert said == ["the secret of hosted keys holds no keys yet, so no platform key can pay; put them in"]


async def test_reading_begins_before_the_first_request(keys, proxy):
    keys.start()
    keys.start()
    await until(lambda: proxy.asked == [READ])
    assert await keys.current() == ONE
    assert proxy.asked == [READ]


async def test_first_callers_share_one_read(keys, proxy):
    assert await asyncio.gather(*(keys.current() for _ in range(20))) == [ONE] * 20
    assert proxy.asked == [READ]


async def test_a_caller_who_leaves_takes_nothing_from_the_others(keys, proxy):
    proxy.fault = "slow"
    leaving, staying = (asyncio.create_task(keys.current()) for _ in range(2))
    await until(lambda: proxy.asked == [READ])
    leaving.cancel()
    proxy.permit()
    assert await staying == ONE
    assert leaving.cancelled()


@pytest.mark.parametrize("frozen", [False, True])
async def test_an_old_document_is_served_at_once_and_read_again_meanwhile(keys, proxy, secret, clock, frozen):
    await keys.current()
    secret.put({"OPENAI_API_KEY_1": "two"})
    clock.advance(299)
    await keys.current()
    assert proxy.asked == [READ]
    proxy.fault = "slow"
    clock.advance(1, frozen=frozen)
    for _ in range(3):
        assert await keys.current() == ONE
    await until(lambda: proxy.asked == [READ, READ])
    proxy.permit()
    while await keys.current() == ONE:  # noqa: ASYNC110  the read ends in a thread
        await asyncio.sleep(0)
    assert await keys.current() == {"OPENAI_API_KEY_1": "two"}
    assert proxy.asked == [READ, READ]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_first_read_that_fails_is_an_error_and_the_next_request_tries_again(keys, proxy, said, fault):
    proxy.fault = fault
    for _ in range(2):
        with pytest.raises(KeyStoreUnavailable) as raised:
            await keys.current()
        assert raised.value.status == 503
        assert str(raised.value) == "The platform's keys cannot be read at the moment. Try again soon."
    assert len([line for line in said() if "cannot be read, and there is no earlier value" in line]) == 1
    assert proxy.asked == [READ, READ]
    proxy.fault = None
    assert await keys.current() == ONE
    assert said()[-1] == "the secret of hosted keys can be read again"


@pytest.mark.parametrize("fault", FAULTS)
async def test_in_an_outage_the_last_good_document_stays(keys, proxy, clock, said, fault):
    await keys.current()
    proxy.fault = fault
    while len(proxy.asked) < 4:
        clock.advance(300)
        assert await keys.current() == ONE
        await asyncio.sleep(0)
    assert len(said()) == 1
    assert said()[0].startswith("the secret of hosted keys cannot be read; the last good value stays: ")
    proxy.fault = None
    while len(said()) == 1:
        clock.advance(300)
        assert await keys.current() == ONE
        await asyncio.sleep(0)
    assert said()[1] == "the secret of hosted keys can be read again"


async def test_an_outage_is_tried_again_every_thirty_seconds_not_by_every_request(keys, proxy, clock, said):
    await keys.current()
    proxy.fault = "broken"
    clock.advance(300)
    await keys.current()
    await until(lambda: bool(said()))
    for _ in range(5):
        clock.advance(5)
        await keys.current()
    assert proxy.asked == [READ, READ]
    clock.advance(5)
    await keys.current()
    await until(lambda: proxy.asked == [READ, READ, READ])


@pytest.mark.usefixtures("secret")
async def test_nobody_waits_longer_than_the_limit_for_a_first_read(aws, clock, proxy):
    keys = HostedKeys(aws, NAME, patience=0.1, clocks=clock)
    proxy.fault = "slow"
    began = time.monotonic()
    with pytest.raises(KeyStoreUnavailable):
        await keys.current()
    assert time.monotonic() - began < 10
    proxy.permit()
    while True:
        try:
            assert await keys.current() == ONE
            break
        except KeyStoreUnavailable:
            continue
    assert proxy.asked == [READ]
    await keys.stop()


async def test_a_port_that_nobody_listens_on_is_an_outage(nobody, clock):
    aws = Aws(endpoints={"secretsmanager": nobody}, **QUICK)
    with pytest.raises(KeyStoreUnavailable):
        await HostedKeys(aws, NAME, clocks=clock).current()
    aws.stop()


async def test_a_read_cut_off_by_a_freeze_is_made_again_by_the_first_request(keys, proxy):
    proxy.fault = "hung up"
    keys.start()
    await until(lambda: proxy.asked == [READ])
    proxy.fault = None
    assert await keys.current() == ONE


async def test_without_a_secret_there_are_no_keys_and_nothing_is_read(aws, proxy):
    for unset in (None, ""):
        keys = HostedKeys(aws, unset)
        keys.start()
        keys.restored()
        assert await keys.current() == {}
        await keys.stop()
    assert proxy.asked == []


async def test_after_a_restore_the_next_request_waits_for_a_new_read(keys, proxy, secret, aws):
    await keys.current()
    secret.put({"OPENAI_API_KEY_1": "two"})
    aws.restored()
    keys.restored()
    assert await keys.current() == {"OPENAI_API_KEY_1": "two"}
    assert proxy.asked == [READ, READ]


async def test_after_a_restore_the_snapshots_document_is_the_last_resort(keys, proxy, aws):
    await keys.current()
    proxy.fault = "denied"
    aws.restored()
    keys.restored()
    assert await keys.current() == ONE


async def test_stopping_ends_a_read_and_keeps_what_was_read(keys, proxy, clock):
    await keys.current()
    proxy.fault = "slow"
    clock.advance(300)
    await keys.current()
    await until(lambda: len(proxy.asked) == 2)
    await keys.stop()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    clock.advance(300)
    assert await keys.current() == ONE
    assert len(proxy.asked) == 2


SHAPES = {
    LEAK: "the secret is not JSON (line 1, column 1); it has to be an object of name to key",
    f'["{LEAK}"]': "the secret is a list; it has to be a JSON object of name to key",
    f'"{LEAK}"': "the secret is a string; it has to be a JSON object of name to key",
    "null": "the secret is null; it has to be a JSON object of name to key",
    '{"OPENAI_API_KEY_1": 5}': "OPENAI_API_KEY_1 is a number; it has to be a string",
    '{"OPENAI_API_KEY_COUNT": true}': "OPENAI_API_KEY_COUNT is a boolean; it has to be a string",
    f'{{"OPENAI_API_KEY_1": ["{LEAK}"]}}': "OPENAI_API_KEY_1 is a list; it has to be a string",
    f'{{"OPENAI": {{"API_KEY_1": "{LEAK}"}}}}': "OPENAI is an object; it has to be a string",
    f'{{"A": "b", "{LEAK}": null}}': "entry 2 is null; it has to be a string",
    f'{{"KEY_1": "{LEAK}': "the secret is not JSON (line 1, column 11); it has to be an object of name to key",
}


@pytest.mark.parametrize("text", SHAPES, ids=list(SHAPES.values()))
async def test_a_document_of_another_shape_is_refused_and_the_log_says_why(keys, secret, clock, said, text):
    await keys.current()
    secret.put(text)
    clock.advance(300)
    await keys.current()
    await until(lambda: bool(said()))
    assert said() == [f"the secret of hosted keys cannot be read; the last good value stays: {SHAPES[text]}"]
    assert await keys.current() == ONE


async def test_a_binary_secret_is_refused(keys, secret, said):
    secret.client.put_secret_value(SecretId=NAME, SecretBinary=LEAK.encode())
    with pytest.raises(KeyStoreUnavailable):
        await keys.current()
    assert said()[0].endswith("the secret holds binary data, not a JSON object of name to key")


def test_what_was_read_does_not_print():
    assert LEAK not in repr(Reading({"OPENAI_API_KEY_1": LEAK}, 300))


def test_white_space_around_a_key_is_no_part_of_it_and_a_count_may_be_a_number():
    text = '{"OPENAI_API_KEY_1": " one\\n", "OPENAI_API_KEY_2": "", "OPENAI_API_KEY_COUNT": 2}'
    assert key_document(text) == {
        "OPENAI_API_KEY_1": "one",
        "OPENAI_API_KEY_2": "",
        "OPENAI_API_KEY_COUNT": "2",
    }


LEAF = st.sampled_from([LEAK, 5, 1.5, True, None])
VALUE = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([LEAK, "A"]), inner, max_size=2)
)


@given(VALUE, st.integers(0, 60))
def test_what_is_wrong_with_a_document_is_said_without_quoting_it(value, cut):
    for text in (json.dumps(value), json.dumps(value)[:cut], json.dumps({"OPENAI_API_KEY_1": value})):
        problem = ""
        try:
            key_document(text)
        except DocumentError as error:
            problem = f"{error!r} {error} {error.__cause__!r}"
        assert LEAK not in problem
