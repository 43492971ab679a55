"""Tokens for an API: who made them, what they may do, and when they end."""
