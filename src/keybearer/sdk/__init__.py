"""What runs inside somebody's API: verification in the process, kept true by the server's feed of changes."""
