"""Thin layers between a framework and a verifier: who calls, or the answer that says why not."""
