"""The steps from a queue message to a tenant's log stream; ``ls`` lists them in the order the data takes."""

ORDER = ("inbox", "notices", "objects", "records", "routes", "stream_batches", "writer")
