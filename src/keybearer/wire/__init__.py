"""Words that both sides of the wire use; standard library only."""
