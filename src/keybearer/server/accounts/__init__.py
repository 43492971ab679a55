"""What several actions do to a user's account: passwords, typed profiles, mailed links."""
