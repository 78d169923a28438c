"""What a model can do and what it refuses, as one value that the catalog fills and the wires read.

The rows themselves are data in ``catalog/models.json``. Dropping the settings a model does not take happens
once, in ``sanitise.py``; a wire may rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One model of one provider.

    Attributes:
        id: The catalog's id, by which the model is priced and reported (``groq/llama-3.3-70b-versatile``).
        provider: The provider's id.
        sent_as: The id on the wire, without our prefix (``llama-3.3-70b-versatile``).
        known: Whether the catalog lists it; an unlisted model has the provider's fallback capabilities.
        temperature: The accepted range, or ``None`` when the model refuses the setting.
        reasoning_efforts, verbosities, thinking_levels: Accepted values; empty when the setting is refused.
        adaptive_thinking: The model decides how long to think; a level is sent as an effort, not as a budget.
        structured_outputs: The provider enforces a JSON schema natively for this model.
        max_output_tokens: The most it can generate, when known.
        context_window: Input and output together, in tokens, when known.
    """

    id: str
    provider: str
    sent_as: str
    known: bool = True
    temperature: tuple[float, float] | None = None
    reasoning_efforts: tuple[str, ...] = ()
    verbosities: tuple[str, ...] = ()
    thinking_levels: tuple[str, ...] = ()
    adaptive_thinking: bool = False
    structured_outputs: bool = False
    max_output_tokens: int | None = None
    context_window: int | None = None
