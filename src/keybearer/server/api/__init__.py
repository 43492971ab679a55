"""Doors for integrators: the /api/v2 endpoints."""
