"""The only wiring: parts become the fleet's worker, a Lambda function, a scan, a replay, or one delivery by hand."""
