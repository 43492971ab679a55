"""Doubles of verifiers, for the tests of an API that Keybearer protects."""

from keybearer.sdk.testing import FakeSyncVerifier, FakeVerifier, Recorded, Records

__all__ = ["FakeSyncVerifier", "FakeVerifier", "Recorded", "Records"]
