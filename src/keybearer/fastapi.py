"""Keybearer for FastAPI."""

from keybearer.sdk.frameworks.fastapi import protect, requires

__all__ = ["protect", "requires"]
