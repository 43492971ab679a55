"""``keybearer migrate``: the database brought to this version."""

from keybearer.cli.printing import JSON, say


def migrate(*, as_json: JSON = False) -> None:
    """Bring the database to this version's tables."""
    from keybearer.cli.workplace import bring_up_to_date, load_settings
    from keybearer.server.store.migrations import newest

    changed = bring_up_to_date(load_settings())
    say({"changed": changed, "revision": newest()}, as_json=as_json)
