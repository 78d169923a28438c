"""One deployment: the options read, the layers built, the stacks put together and looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.build.artifacts import FUNCTIONS, function, layers
from infra.build.target import Target
from infra.constructs.tool_catalog import tool_catalog
from infra.names import Names
from infra.options import KEYS, OptionError, Options
from infra.stacks.example import ExampleStack
from infra.stacks.flags import FlagsStack
from infra.stacks.gateway import GatewayStack
from infra.stacks.keys import KeysStack
from infra.stacks.observability import ObservabilityStack


class FindingsError(Exception):
    """cdk-nag or the CDK found something wrong with a template, and has said what."""


def synthesise(context: Mapping[str, object], chosen: Mapping[str, str], *, outdir: str) -> None:
    """Writes every template to ``outdir``.

    Args:
        context: The CDK context of ``cdk.json``.
        chosen: Options that win over it.

    Raises:
        OptionError, SettingError, FlagDocumentError, ToolCatalogError, BuildError: Something is wrong that an operator
            can put right.
        FindingsError: A template is not as it should be.
    """
    if unknown := sorted(chosen.keys() - KEYS):
        raise OptionError(f"{', '.join(unknown)}: no such option; there are {', '.join(sorted(KEYS))}")
    app = App(context={**context, **chosen}, outdir=outdir, analytics_reporting=False)
    options = Options.from_context(app.node.try_get_context)
    # In a folder of its own, so that two of these never meet; the CDK copies what it needs to ``outdir``.
    with TemporaryDirectory(prefix="keyway-") as folder:
        _compose(app, options, Path(folder))
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        try:
            app.synth()
        except RuntimeError as error:
            if "ValidationFailed" not in str(error):
                raise
            report = f"{outdir}/validation-report.json"
            raise FindingsError(f"the templates have findings (above, and in {report})") from None


def _compose(app: App, options: Options, folder: Path) -> None:
    names = Names(options.stage)
    catalog = tool_catalog()
    keys = KeysStack(app, names, options)
    flags = FlagsStack(app, names, catalog)
    gateway = GatewayStack(
        app,
        names,
        options,
        layers=layers(Target(options.architecture), folder / "layers"),
        functions={name: function(name, folder / "functions") for name in FUNCTIONS},
        keys=keys,
        flags=flags,
        catalog=catalog,
    )
    ObservabilityStack(app, names, options).add_stack_dependency(gateway)
    ExampleStack(app, names, options, gateway.alias)
    Tags.of(app).add("application", "keyway")
    Tags.of(app).add("stage", options.stage)
