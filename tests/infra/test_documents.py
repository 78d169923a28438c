"""What the documents send a reader to is there."""

from __future__ import annotations

import re

import pytest

from tests.infra.operators_copy import ROOT

ROOTS = (ROOT, ROOT / "layers" / "keyway" / "python", ROOT / "docs")
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FILE = re.compile(r"`((?:\w+/)+[\w.-]+\.(?:py|json|txt|md|ini|toml))`|\]\(([\w./-]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document):
    named = {code or link for code, link in FILE.findall(document.read_text(encoding="utf-8"))}
    assert not [name for name in named if not any((root / name).exists() for root in ROOTS)]
