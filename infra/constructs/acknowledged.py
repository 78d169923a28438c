"""Findings of cdk-nag that we have looked at and live with, each with its reason beside the resource it is about."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Records that ``construct`` (and what is below it) breaks the AwsSolutions ``rule`` on purpose, and why."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
