"""What is wrong with a fleet's settings and permissions, and what is to be done about it."""
