"""What lies in the dead-letter queue, and what becomes of it."""
