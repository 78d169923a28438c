"""Lambda on one machine, for this runtime: a Runtime API, a function URL that really streams, and direct invocation.

    python -m stream_runtime.local --handler app.handler --environments 2 --port 9000

or, from a test or a script:

    async with LocalLambda("app.handler", python_path=["src"], on_stdout=lines.append) as local:
        ...  # local.url, local.invoke_url

It runs the function in processes of its own, started through the exec wrapper as Lambda would, and listens on loopback
only. It is a tool for developers: no authentication, no IAM, no limits on memory.
"""

from __future__ import annotations

from .environment import StartError
from .platform import LocalLambda

__all__ = ["LocalLambda", "StartError"]
