"""This node's view of the feed of changes, shared by everybody who asks."""
