"""An example API behind Keybearer: the people that a team keeps records of."""
