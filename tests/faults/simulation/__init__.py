"""Verifiers, nodes and a store in one process, where chance rules clocks and network; the shipped code runs in them."""
