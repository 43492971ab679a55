"""What the tests of exports share."""

from functools import cache

import pytest

from keybearer.audit.batches import batch_from
from keybearer.audit.lines import line_from
from keybearer.audit.trust import is_signed


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge the same line, and the same signature, once: they are judged by themselves."""
    together = cache(batch_from)
    monkeypatch.setattr("keybearer.audit.verification.line_from", cache(line_from))
    monkeypatch.setattr("keybearer.audit.verification.batch_from", lambda lines: together(tuple(lines)))
    monkeypatch.setattr("keybearer.audit.trust.is_signed", cache(is_signed))
