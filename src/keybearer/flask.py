"""Keybearer for Flask."""

from keybearer.sdk.frameworks.flask import principal, protect, requires

__all__ = ["principal", "protect", "requires"]
