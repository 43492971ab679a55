"""How an API tells what was done with tokens: written before and after each call, shipped in batches."""
