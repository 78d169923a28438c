"""How a function's processes are started: the command line and the whole environment each of them sees.

A process sees only the variables Lambda would set and those it is given, nothing else of the developer's own. Starting
it is `environment`'s business.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAYER = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Plan:
    """What every environment of a function has in common."""

    handler: str
    python: str
    python_path: Sequence[str]
    task_root: str
    function_name: str
    memory: int
    concurrency: int
    timeout: float
    snapstart: bool
    environment: Mapping[str, str]
    on_stdout: Callable[[str], None]
    on_stderr: Callable[[str], None]

    @property
    def function_arn(self) -> str:
        """An ARN in the form Lambda's have, of an account nobody owns."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    def command(self) -> list[str]:
        """The exec wrapper with the command line Lambda would give it; the module itself where there is no wrapper."""
        wrapper = _LAYER / "stream-runtime"
        if os.access(wrapper, os.X_OK):
            return [str(wrapper), self.python, "-m", "awslambdaric", self.handler]
        return [self.python, "-u", "-m", "stream_runtime", self.handler]

    def variables(self, runtime_api: str) -> dict[str, str]:
        """The process's whole environment."""
        variables = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "TZ": ":UTC",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            **self.environment,
            "PYTHONPATH": os.pathsep.join([*self.python_path, str(_LAYER / "python")]),
            "_HANDLER": self.handler,
            "LAMBDA_TASK_ROOT": self.task_root,
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": runtime_api,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start" if self.snapstart else "on-demand",
        }
        if self.concurrency > 1:
            variables["AWS_LAMBDA_MAX_CONCURRENCY"] = str(self.concurrency)
        return variables
