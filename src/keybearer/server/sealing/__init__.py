"""Records get their places in logs, whose trees are signed, and whatever was changed behind their back is found."""
