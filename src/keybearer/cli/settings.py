"""``keybearer settings``: what is set, and where it comes from."""

from keybearer.cli.printing import JSON


def settings(*, as_json: JSON = False) -> None:
    """Print every setting with its source; secrets are masked."""
    from keybearer.cli.printing import say_table
    from keybearer.cli.setting_sources import described_settings

    say_table(described_settings(), ("name", "source", "value"), as_json=as_json)
