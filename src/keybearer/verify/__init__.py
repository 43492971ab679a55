"""The decision about a token; pure: no I/O, no clock, no library."""
