"""The verifiers that ask this node and its neighbours: who they are, and how far each has come."""
