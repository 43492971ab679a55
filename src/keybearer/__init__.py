"""Tokens for an API: who made them, what they may do, and when they end."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from keybearer.reporting.reporter import ActivityLog
    from keybearer.sdk.errors import Forbidden, InvalidToken, RateLimited, Unavailable
    from keybearer.sdk.sync_verifier import SyncVerifier
    from keybearer.sdk.verifier import Verifier
    from keybearer.wire.principal import Principal

__all__ = [
    "ActivityLog",
    "Forbidden",
    "InvalidToken",
    "Principal",
    "RateLimited",
    "SyncVerifier",
    "Unavailable",
    "Verifier",
]

# Looked up when asked for: whoever wants the server, or one framework, does not load the rest.
_HOMES: Final = {
    "ActivityLog": "keybearer.reporting.reporter",
    "Forbidden": "keybearer.sdk.errors",
    "InvalidToken": "keybearer.sdk.errors",
    "Principal": "keybearer.wire.principal",
    "RateLimited": "keybearer.sdk.errors",
    "SyncVerifier": "keybearer.sdk.sync_verifier",
    "Unavailable": "keybearer.sdk.errors",
    "Verifier": "keybearer.sdk.verifier",
}

if not TYPE_CHECKING:  # so that a type checker finds the name that is not there

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
