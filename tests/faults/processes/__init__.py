"""Keybearer as it is run, in trouble: processes that are killed, stopped and cut off, and the bound that holds."""
