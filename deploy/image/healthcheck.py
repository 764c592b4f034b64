#!/opt/logfanout/bin/python
"""Is this container's worker alive?

    GET /healthz on LOGFANOUT_HTTP_PORT ──► exit code 0, or 1 with the reason on stderr

For HEALTHCHECK, and for an ECS task definition, which knows only its own: ``["CMD", "healthcheck"]``. Modes without
HTTP (port 0, one notification, Lambda) are alive as long as their process is.
"""

import http.client
import os
import sys

TIMEOUT_SECONDS = 2  # below HEALTHCHECK's own, so that the reason is told


def main() -> int:
    """Return the exit code that a container engine understands."""
    port = int(os.environ.get("LOGFANOUT_HTTP_PORT") or "9090")
    if port == 0 or os.environ.get("EXECUTION_MODE") in ("manual", "lambda"):
        return 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException) as error:
        sys.stderr.write(f"healthcheck: port {port}: {error}\n")
        return 1
    if answer.status != http.client.OK:
        sys.stderr.write(f"healthcheck: /healthz answers {answer.status}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
