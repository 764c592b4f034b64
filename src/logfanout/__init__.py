"""Delivers the logs a platform collects in S3 to each tenant's own CloudWatch Logs."""

__version__ = "0.1.0"
