"""Judgments; pure functions without SQL, HTTP, clock or settings."""
