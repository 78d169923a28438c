"""The operator's tools, as a file that an operator edits: ``infra/tools/catalog.json``.

It is read here with the gateway's own code, so that a catalog the gateway would refuse at its start stops the synthesis
instead, with the place of the fault. What a row may hold is ``keyway/tools/rows.py``; both functions get the file
beside their package (``infra/build/artifacts.py``).
"""

from __future__ import annotations

from pathlib import Path

from infra.build.artifacts import CATALOG
from keyway.tools.catalog import ToolCatalog, ToolCatalogError


def tool_catalog(path: Path = CATALOG) -> ToolCatalog:
    """The catalog at ``path``, checked.

    Raises:
        ToolCatalogError: It is not one. The message names the file and the place.
    """
    try:
        return ToolCatalog.read(path.read_text(encoding="utf-8"))
    except ToolCatalogError as error:
        raise ToolCatalogError(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise ToolCatalogError(f"{path}: is not UTF-8") from None
    except OSError as error:
        raise ToolCatalogError(f"{path}: cannot be read ({error.strerror}); without tools it holds {{}}") from None
