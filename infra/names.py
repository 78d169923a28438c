"""What everything is called, in AWS and in the functions' settings.

Names are fixed rather than generated: the settings, the alarms and the local system can then name a resource that
lives in another stack, and an operator finds it without a console search. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from keyway.settings import Settings

PROFILE = "feature-flags"
"""The AppConfig profile the gateway reads.

The gateway names it in ``keyway/outside/flags.py``, whose packages the CDK's environment does not have; a test holds
the two together.
"""

METRICS = Settings().metrics_namespace
"""The namespace of the gateway's own metrics."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one stage's resources; several stages fit into one account."""

    stage: str

    @property
    def prefix(self) -> str:
        return f"keyway-{self.stage}"

    @property
    def gateway(self) -> str:
        """The gateway function."""
        return f"{self.prefix}-gateway"

    @property
    def alias(self) -> str:
        """The alias that callers use; it points at the version deployed last."""
        return "live"

    @property
    def workspace_keys(self) -> str:
        """The workspace-keys function."""
        return f"{self.prefix}-workspace-keys"

    @property
    def table(self) -> str:
        """The table of workspaces' own keys."""
        return f"{self.prefix}-workspace-keys"

    @property
    def kms_alias(self) -> str:
        """What the KMS key of workspaces' own keys is addressed by."""
        return f"alias/{self.prefix}-workspace-keys"

    @property
    def secret(self) -> str:
        """The secret of hosted keys."""
        return f"keyway/{self.stage}/hosted-keys"

    @property
    def application(self) -> str:
        """The AppConfig application; its environment has the stage's name."""
        return self.prefix

    @property
    def tasks(self) -> str:
        """The table of Step Functions tasks that have been answered."""
        return f"{self.prefix}-tasks"

    @property
    def tool_limits(self) -> str:
        """The table of tools' rate limits."""
        return f"{self.prefix}-tool-limits"

    @property
    def topic(self) -> str:
        """Where alarms are announced."""
        return f"{self.prefix}-alarms"

    def log_group(self, function: str) -> str:
        """A function's log group."""
        return f"/aws/lambda/{function}"

    def stack(self, part: str) -> str:
        """A stack's name: ``Keyway-dev-Gateway``."""
        return f"Keyway-{self.stage}-{part}"
