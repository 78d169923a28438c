"""A ``ChatRequest`` as the body of ``POST /interactions`` for a Deep Research agent.

An agent takes one task and writes one report: no temperature, no token limit, no functions, no schema, so these are
not sent. It works in the background and is stored, because it refuses to work otherwise; and it is always streamed,
because the only other way to its report is to ask for it again and again.
"""

from __future__ import annotations

from keyway.capabilities import Model
from keyway.chat import ChatRequest, File, Json, Message
from keyway.errors import InvalidRequest
from keyway.wire.contract import Outgoing
from keyway.wire.google_interactions.dialect import Dialect

_SPEAKERS = {"user": "User", "assistant": "Assistant", "tool": "Tool result", "system": "System"}


def encode(request: ChatRequest, model: Model, dialect: Dialect) -> Outgoing:
    """The provider's request for ours. See ``Wire.encode``."""
    system, task, files = _task(request)
    body: dict[str, object] = {
        "agent": model.sent_as,
        "input": [{"type": "text", "text": task}, *map(_content, files)] if files else task,
        "agent_config": {"type": "deep-research", "thinking_summaries": "auto"},
        "background": True,
        "store": True,
        "stream": True,
    }
    if system:
        body["system_instruction"] = system
    if request.previous_interaction_id is not None:
        body["previous_interaction_id"] = request.previous_interaction_id
    return Outgoing(path=dialect.path, body=body, streamed=True, headers={"api-revision": dialect.revision})


def _task(request: ChatRequest) -> tuple[str, str, list[File]]:
    """The system text, the task, and the files that belong to it.

    The task is what the user said last. What was said before is told as a conversation in front of it, unless a
    previous interaction is named: then the provider remembers what was said up to its last answer.

    Raises:
        InvalidRequest: There is no task.
    """
    system = "\n\n".join(
        text for text in (request.system_prompt, *(m.content for m in request.messages if m.role == "system")) if text
    )
    said = [message for message in request.conversation if message.role != "system"]
    if request.previous_interaction_id is not None:
        said = said[_after_the_last_answer(said) :]
    files = [file for message in said for file in message.files]
    last = said[-1] if said and said[-1].role == "user" else None
    before = [line for message in (said if last is None else said[:-1]) if (line := _line(message))]
    task = last.content or "" if last is not None else ""
    if before:
        task = "\n\n".join(["The conversation so far:", *before, *(["The task:", task] if task else [])])
    if not task and not files:
        if not system:
            raise InvalidRequest("messages: hold no text. Say what to research.")
        return "", system, []
    return system, task, files


def _after_the_last_answer(said: list[Message]) -> int:
    answers = [index for index, message in enumerate(said) if message.role == "assistant"]
    return answers[-1] + 1 if answers else 0


def _line(message: Message) -> str:
    return f"{_SPEAKERS[message.role]}: {message.content}" if message.content else ""


def _content(file: File) -> Json:
    media_type = file.mime_type.partition(";")[0].strip().lower()
    kind = media_type.partition("/")[0]
    source = {"uri": file.url} if file.url is not None else {"data": file.data}
    return {"type": kind if kind in ("image", "audio", "video") else "document", "mime_type": media_type, **source}
