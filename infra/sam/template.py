"""The synthesised template as SAM needs it: the gateway's logical id, and two variables more.

SAM sets only variables that the template declares; where AWS is, and where the providers are, is nothing a deployment
has to declare.
"""

from __future__ import annotations

import json
from pathlib import Path

ENDPOINTS = ("AWS_ENDPOINT_URL", "PROVIDER_BASE_URLS")


def prepared(template: Path) -> tuple[Path, str]:
    """Writes a copy of the gateway's ``template`` beside it. Returns the copy and the function's logical id."""
    document = json.loads(template.read_text())
    found = [
        name
        for name, resource in document["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function" and resource["Properties"]["Handler"] == "gateway.app.handler"
    ]
    (gateway,) = found
    variables = document["Resources"][gateway]["Properties"]["Environment"]["Variables"]
    for name in ENDPOINTS:
        variables.setdefault(name, "")
    copy = template.with_name("sam.json")
    copy.write_text(json.dumps(document))
    return copy, gateway
