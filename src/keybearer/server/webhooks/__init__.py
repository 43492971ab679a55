"""Webhooks: what they are told is put down with the change, and sent later."""
