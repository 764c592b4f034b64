"""The table of tenants as an operator sees it: what stands there, what the fleet makes of it, and how it is changed."""
