"""Metrics: what operators watch, what each is called and where it is read, and the text that Prometheus scrapes."""
