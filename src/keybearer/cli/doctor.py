"""``keybearer doctor``: reports what is wrong with this server."""

from keybearer.cli.printing import JSON, say


def doctor(*, as_json: JSON = False) -> int:
    """Check this server's environment, database, clock, activity log and key; exit code 1 if anything is wrong."""
    from keybearer.cli.examination import findings

    found = findings()
    for finding in found:
        say(finding, as_json=as_json)
    return 0 if all(finding["is_well"] for finding in found) else 1
