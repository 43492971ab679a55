"""Keybearer for any ASGI application."""

from keybearer.sdk.frameworks.asgi import KeybearerMiddleware, principal_of

__all__ = ["KeybearerMiddleware", "principal_of"]
