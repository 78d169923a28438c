"""An internal extension that does nothing, because Lambda sends SIGTERM only where an extension is registered.

With an internal one there are 500 ms between SIGTERM and SIGKILL (AWS Lambda developer guide, "Lambda execution
environment lifecycle"). It asks for no events; its call for the next one is what tells Lambda that it is ready, and is
never answered. Where it cannot be registered, the function works as before and just ends without notice.
"""

from __future__ import annotations

from . import log, messages
from .link import Link, LinkError

NAME = "stream-runtime"


async def register(link: Link) -> str | None:
    """Register, while the environment initialises. Gives the identifier, or None when it is not to be had."""
    try:
        reply = await link.call(messages.extension_register(NAME))
    except LinkError as broken:
        log.line("WARNING", "no extension could be registered: there will be no notice of shutdown", reason=str(broken))
        return None
    identifier = reply.headers.get("lambda-extension-identifier")
    if reply.status != 200 or not identifier:
        log.line(
            "WARNING", "no extension could be registered: there will be no notice of shutdown", status=reply.status
        )
        return None
    return identifier


async def wait(link: Link, identifier: str) -> None:
    """Say that the extension is ready, and wait for events that do not come."""
    try:
        await link.call(messages.extension_next(identifier))
    except LinkError as broken:
        log.line("DEBUG", "the extension's connection ended", reason=str(broken))
    finally:
        link.close()
