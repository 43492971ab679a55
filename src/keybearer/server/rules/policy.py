"""What the roles allow, as one short text that two nodes can compare."""

import hashlib
import json
from collections.abc import Mapping


def policy_digest(role_permissions: Mapping[str, frozenset[str]]) -> str:
    """Return a text that is the same for the same permissions of the same roles, and for no others."""
    table = {role: sorted(names) for role, names in role_permissions.items()}
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
