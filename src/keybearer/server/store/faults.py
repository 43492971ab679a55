"""The errors of the store, the same for both databases."""

from typing import Final

NO_HEAD: Final = "the database has no feed_head row: it was not migrated"


class StoreFault(Exception):
    """Anything the store could not do; every subclass says how sure the caller may be of the outcome."""


class StoreUnavailable(StoreFault):
    """The store cannot work now; nothing of this work was kept, so it may be tried again."""


class OutcomeUnknown(StoreUnavailable):
    """
    The COMMIT went wrong in a way that leaves open whether the work was kept.

    Never answer "done" and never answer "refused": look again by an idempotency key.

    Source: coherence.md, findings 3 and 4.
    """


class Conflict(StoreFault):
    """
    The work broke a rule that the tables keep; all of it was rolled back.

    Attributes:
        constraint: the constraint's name in ``tables.py`` where the database tells enough to know it,
            else the best it says. A work that has met a Conflict cannot go on: raise.
    """

    def __init__(self, constraint: str) -> None:
        """Keep the *constraint* that was broken."""
        super().__init__(constraint)
        self.constraint = constraint
