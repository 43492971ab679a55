"""Keybearer for Django, and for Django REST framework where that is installed."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from keybearer.sdk.frameworks.django import KeybearerMiddleware, principal_of, requires, verifier

if TYPE_CHECKING:
    from keybearer.sdk.frameworks.django_rest import KeybearerAuthentication, needs

__all__ = ["KeybearerAuthentication", "KeybearerMiddleware", "needs", "principal_of", "requires", "verifier"]

if not TYPE_CHECKING:  # so that a type checker finds the name that is not there

    def __getattr__(name: str) -> Any:
        if name not in {"KeybearerAuthentication", "needs"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("keybearer.sdk.frameworks.django_rest"), name)
