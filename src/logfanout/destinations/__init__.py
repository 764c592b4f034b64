"""Where can a tenant's logs go? One module a kind: the rows of its type, and how an object gets there."""
