"""Mail to people: its texts, and how it leaves the server."""
