"""What the workspace-keys function may be asked to do, and how a wrong event is refused."""

from __future__ import annotations

import pytest

from keyway.doors.workspace_keys import Command, read_command
from keyway.errors import InvalidRequest

KEY = "sk-secret-of-a-workspace"
PUT = {"action": "put", "workspaceId": "ws-1", "provider": "openai", "apiKey": KEY}
ROTATE = {**PUT, "action": "rotate", "id": "1a2b"}


@pytest.mark.parametrize(
    ("event", "command"),
    [
        (PUT, Command("put", "ws-1", "openai", KEY)),
        ({**PUT, "apiKey": f" {KEY}\n"}, Command("put", "ws-1", "openai", KEY)),
        (
            {**PUT, "label": "main", "check": True, "model": "gpt-4.1"},
            Command("put", "ws-1", "openai", KEY, label="main", check=True, model="gpt-4.1"),
        ),
        ({"action": "list", "workspaceId": "ws-1"}, Command("list", "ws-1")),
        ({"action": "list", "workspaceId": "ws-1", "provider": "openai"}, Command("list", "ws-1", "openai")),
        (ROTATE, Command("rotate", "ws-1", "openai", KEY, "1a2b")),
        (
            {"action": "delete", "workspaceId": "ws-1", "provider": "openai", "id": "1a2b"},
            Command("delete", "ws-1", "openai", id="1a2b"),
        ),
    ],
)
def test_each_action_is_read(event, command):
    assert read_command(event) == command


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("put", "must be a JSON object"),
        ({}, "action: must be one of put, list, delete, rotate"),
        ({**PUT, "action": "drop"}, "action: must be one of"),
        ({**PUT, "action": ["put"]}, "action: must be one of"),
        ({"action": "put", "provider": "openai"}, "workspaceId, apiKey: required for put"),
        ({"action": "delete", "workspaceId": "ws-1", "provider": "openai"}, "id: required for delete"),
        ({**PUT, "ID": "x"}, "ID: not a field of put"),
        ({"action": "list", "workspaceId": "ws-1", "id": "x"}, "id: not a field of list"),
        ({**PUT, "check": "yes"}, "check: must be true or false"),
        ({**PUT, "label": 7}, "label: must be a string"),
        ({**PUT, "workspaceId": "x" * 257}, "workspaceId: must not be longer than 256"),
        ({**PUT, "label": "one\ntwo"}, "label: must be one line"),
    ],
)
def test_a_wrong_event_is_refused_by_its_field(event, said):
    with pytest.raises(InvalidRequest, match=said):
        read_command(event)


@pytest.mark.parametrize(
    "key", ["short", "sk-with a space", "sk-ключ-ключ", "sk-two\nlines-of-it", "x" * 4_097, 12345678]
)
def test_what_cannot_be_a_key_is_refused_and_never_repeated(key):
    with pytest.raises(InvalidRequest) as raised:
        read_command({**PUT, "apiKey": key})
    assert str(raised.value).startswith("apiKey: ")
    assert str(key) not in str(raised.value)


def test_a_command_does_not_print_its_key():
    assert KEY not in repr(read_command(PUT))
