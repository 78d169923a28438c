"""A question to Gemini, as an HTTP request."""

from __future__ import annotations

from typing import Any

import httpx

from infra.local.provider import ScriptedProvider

KEY = "good-key-0123456789"


def question(
    provider: ScriptedProvider,
    vendor: str = "google",
    model: str = "gemini-2.5-flash",
    *,
    key: str | None = KEY,
    **body: Any,
) -> httpx.Request:
    method = f"/models/{model}:generateContent"
    place = "/projects/p/locations/us-central1/publishers/google" if vendor == "vertex" else ""
    headers = (
        {} if key is None else {"authorization": f"Bearer {key}"} if vendor == "vertex" else {"x-goog-api-key": key}
    )
    said = {"contents": [{"role": "user", "parts": [{"text": "Hello?"}]}], **body}
    return httpx.Request("POST", provider.base_urls[vendor] + place + method, headers=headers, json=said)
