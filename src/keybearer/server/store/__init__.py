"""The only SQL; one file per table."""
