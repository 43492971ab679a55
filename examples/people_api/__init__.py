"""An API of one's own behind Keybearer: the people that a team keeps records of."""
