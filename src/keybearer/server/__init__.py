"""The server: doors, actions, rules and store."""
