"""Benchmarks, each beside its limit or peer in the same run; `make bench` prints them."""
