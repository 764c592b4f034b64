"""How fast is a worker, and how much faster could it be? ``make bench``; see docs/performance.md."""
