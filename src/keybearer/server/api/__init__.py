"""Doors for integrators: the endpoints under /api/v2."""
