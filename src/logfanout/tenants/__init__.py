"""Who the tenants are, where their logs go, and the sessions that open the way."""
