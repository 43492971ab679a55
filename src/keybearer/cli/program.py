"""The program `keybearer`: the command line, or word of what to install where the SDK alone is."""

import sys


def main() -> None:
    """Run the command that was typed, and exit with its code."""
    try:
        from keybearer.cli import main as command_line
    except ModuleNotFoundError as absent:
        sys.exit(f"error: commands belong to the server, and {absent.name} is missing; pip install 'keybearer[server]'")
    command_line.main()
