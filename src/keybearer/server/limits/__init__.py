"""Limits on how often something may be tried or called."""
