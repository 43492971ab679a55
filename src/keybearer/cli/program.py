"""The program `keybearer`: runs the command line, or says what to install where only the SDK is installed."""

import sys
from typing import Final

INTERRUPTED: Final = 130  # as shells say it: 128, and the number of SIGINT


def main() -> None:
    """Run the command that was typed, and exit with its code; Ctrl-C ends it at any moment, imports included."""
    try:
        exit_code = _run()
    except KeyboardInterrupt:
        exit_code = INTERRUPTED
    if exit_code == INTERRUPTED:
        print("error: interrupted; nothing more was done", file=sys.stderr)
    sys.exit(exit_code)


def _run() -> int:
    try:
        from keybearer.cli import main as command_line
    except ModuleNotFoundError as absent:
        sys.exit(f"error: commands belong to the server, and {absent.name} is missing; pip install 'keybearer[server]'")
    return command_line.main()
