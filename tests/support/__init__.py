"""What the tests stand on: real databases, a clock for the hand, a small browser, real processes."""
