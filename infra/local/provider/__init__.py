"""A provider that says what a test tells it to, in the real protocols, over a real socket.

``script.py`` is what it can be told, ``server.py`` is the server, and each protocol has a folder.
"""

from __future__ import annotations

from infra.local.provider.script import (
    Break,
    Call,
    Cut,
    Gate,
    HangUp,
    Pause,
    Ping,
    Raw,
    Refusal,
    Refuse,
    Reply,
    Say,
    Script,
    Start,
    Step,
    Think,
    Tokens,
    Verbatim,
    Wait,
    words,
)
from infra.local.provider.server import Received, ScriptedProvider

__all__ = [
    "Break",
    "Call",
    "Cut",
    "Gate",
    "HangUp",
    "Pause",
    "Ping",
    "Raw",
    "Received",
    "Refusal",
    "Refuse",
    "Reply",
    "Say",
    "Script",
    "ScriptedProvider",
    "Start",
    "Step",
    "Think",
    "Tokens",
    "Verbatim",
    "Wait",
    "words",
]
