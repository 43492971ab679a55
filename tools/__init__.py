"""Tools of this repository: its own lint, and scripts that set a machine up."""
