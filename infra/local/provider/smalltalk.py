"""What the scripted provider says when nobody told it what to say, and how it counts tokens.

The answer is about itself and the request, one word at a time with a little pause, as a quick model would. A tool that
the user names is called first (``tool_use.py``), and what it said is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from infra.local.provider.protocol import Question, WireProtocol
from infra.local.provider.script import Call, Pause, Refuse, Say, Script, Step, Think, Tokens, words
from infra.local.provider.tool_use import calls

WORD_SECONDS = 0.02
_SHOWN = 120
_CHARACTERS_PER_TOKEN = 4
_PROMPT = (
    "instructions",
    "system",
    "systemInstruction",
    "system_instruction",
    "input",
    "messages",
    "contents",
    "tools",
    "toolConfig",
)
"""Where the protocols keep what the model reads."""


def smalltalk(question: Question, protocol: WireProtocol) -> Script:
    """Calls of the tools that the user names, or some twenty words that repeat the question or what the tools said."""
    asked = " ".join(protocol.asked(question).split())
    told = protocol.results(question)
    if told is None and (called := calls(asked, protocol.offered(question))):
        return Script(Pause(WORD_SECONDS), *called)
    repeated = f"You asked: {_quoted(asked)}" if told is None else f"The tools said: {', '.join(map(_quoted, told))}"
    text = (
        f"{repeated} I am a scripted provider on this machine, answering as {question.model}. "
        "No model was paid for these words."
    )
    return Script(*_paced(text))


def count(script: Script, question: Question) -> Tokens:
    """A plausible count: about four characters of the request to a token, and one for each piece of the answer."""
    prompt = json.dumps(_prompt(question.body), ensure_ascii=False)
    reasoning = sum(1 for step in script.steps if isinstance(step, Think))
    output = reasoning + sum(_size(step) for step in script.steps)
    return Tokens(input=max(len(prompt) // _CHARACTERS_PER_TOKEN, 1), output=max(output, 1), reasoning=reasoning)


def _quoted(text: str) -> str:
    return f"“{text[:_SHOWN]}…”" if len(text) > _SHOWN else f"“{text}”"


def _paced(text: str) -> Iterator[Step]:
    for word in words(text):
        yield Pause(WORD_SECONDS)
        yield word


def _prompt(body: Mapping[str, object]) -> list[object]:
    return [body[name] for name in _PROMPT if name in body]


def _size(step: Step) -> int:
    match step:
        case Say() | Refuse():
            return 1
        case Call(name, arguments):
            written = arguments if isinstance(arguments, str) else json.dumps(arguments)
            return 1 + (len(name) + len(written)) // _CHARACTERS_PER_TOKEN
        case _:
            return 0
