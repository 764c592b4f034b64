"""One Lambda environment: its host, its events, and what becomes of their messages."""
