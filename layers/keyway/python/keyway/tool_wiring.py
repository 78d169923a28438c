"""Builds what runs tools: the operator's catalog in, a toolbox and a runner out.

It is apart from ``wiring.py``, which builds everything else, because it is loaded only where the operator has tools or
allows some.
"""

from __future__ import annotations

import time
from pathlib import Path

from keyway.keys.resolve import Resolver
from keyway.outside.aws import Aws
from keyway.outside.http_tools import HttpTools
from keyway.outside.lambda_tools import LambdaTools
from keyway.outside.tool_limits import ToolLimits
from keyway.outside.upstream import HttpUpstream
from keyway.settings import SettingError, Settings
from keyway.tools.call import ToolRunner
from keyway.tools.catalog import ToolCatalog, ToolCatalogError
from keyway.tools.toolbox import Toolbox


class Tools:
    """The operator's tools, and what runs them.

    Raises:
        SettingError: The catalog is wrong; the message names the variable, and the place in the catalog.
    """

    def __init__(self, settings: Settings, *, resolver: Resolver, upstream: HttpUpstream, aws: Aws) -> None:
        self.catalog = _catalog(settings)
        self.toolbox = Toolbox(self.catalog, executors=settings.tool_executors, functions=settings.tool_functions)
        self._limits = ToolLimits(aws, table=settings.tool_limits_table)
        self._functions = LambdaTools()
        self.runner = ToolRunner(
            resolver=resolver,
            limiter=self._limits,
            executors={"http": HttpTools(upstream), "lambda": self._functions},
            now=time.time,
        )

    def restored(self) -> None:
        """After a SnapStart restore."""
        self._limits.restored()
        self._functions.restored()

    def stop(self) -> None:
        """Before the environment goes away."""
        self._functions.stop()


def _catalog(settings: Settings) -> ToolCatalog:
    text = settings.tool_catalog
    if text is None:
        return ToolCatalog()
    try:
        catalog = ToolCatalog.read(text if text.startswith("{") else Path(text).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"TOOL_CATALOG: the file cannot be read ({type(error).__name__})") from None
    except ToolCatalogError as error:
        raise SettingError(f"TOOL_CATALOG: {error}") from None
    if catalog.limited and settings.tool_limits_table is None:
        raise SettingError(
            f"TOOL_LIMITS_TABLE: is required, because TOOL_CATALOG limits how often {catalog.limited[0]} may be called"
        )
    return catalog
