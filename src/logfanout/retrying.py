"""How often, and how long apart, is a call tried again?

Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): many workers that failed together must not come
back together. What still fails then goes to SQS, whose delays are longer and which counts the receives.
"""

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from logfanout.errors import LogfanoutError, Unavailable

ATTEMPTS = 8  # waits of up to 0.1, 0.2 … 5 s between them: about 6 s on average, well inside a lease
FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0


def patiently(*also: type[LogfanoutError], attempts: int = ATTEMPTS) -> AsyncRetrying:
    """Return a policy that tries again after ``Unavailable`` and *also*, and in the end raises the last error."""
    return AsyncRetrying(
        retry=retry_if_exception_type((Unavailable, *also)),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        stop=stop_after_attempt(attempts),
        reraise=True,
    )
