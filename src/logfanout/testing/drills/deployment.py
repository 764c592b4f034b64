"""How does a drill run the function as Lambda would?

    SQS ──► ReceiveMessage ──► event ──► runtime API ──► the real process ──► batchItemFailures ──► DeleteMessage

The event source mapping, played as AWS describes it: what the answer does not name is deleted, what it names stays
hidden as it is, and an answer that cannot be followed keeps all of the batch. A function whose time runs out is killed.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from logfanout.demo.region import QUEUE
from logfanout.demo.roster import HOME_REGION, PLATFORM_ACCOUNT
from logfanout.testing.drills.stage import Drill
from logfanout.testing.lambda_runtime import LambdaRuntime, Outcome, open_lambda_runtime

QUEUE_ARN = f"arn:aws:sqs:{HOME_REGION}:{PLATFORM_ACCOUNT}:{QUEUE}"
MEMORY_MEBIBYTES = 512
RECEIVE_ATTRIBUTES = ["ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """One batch, and how it went."""

    ids: tuple[str, ...]
    outcome: Outcome
    failed: frozenset[str]  # kept
    said: Mapping[str, Any] = field(default_factory=dict)  # the function's line on it; empty without one


class Deployment:
    """One Lambda environment after the other, and the mapping that feeds it."""

    def __init__(self, stage: Drill, *, environment: Mapping[str, str], sqs: Any, log: Path, runtime: Any) -> None:
        self.log = log
        self.runtime: LambdaRuntime = runtime
        self.process: subprocess.Popen[bytes] | None = None
        self._stage = stage
        self._environment = environment
        self._sqs = sqs

    def __repr__(self) -> str:
        return f"<Deployment {self.log}>"

    def lines(self, event: str) -> list[Mapping[str, Any]]:
        """Return the function's log lines named *event*."""
        found: list[Mapping[str, Any]] = []
        for line in self.log.read_bytes().splitlines():
            with suppress(orjson.JSONDecodeError):
                found.append(orjson.loads(line))
        return [line for line in found if isinstance(line, dict) and line.get("event") == event]

    def start(self) -> None:
        """Start an environment, unless one is there: a cold start."""
        if self.process is None or self.process.poll() is not None:
            with self.log.open("ab") as sink:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "logfanout"],
                    stdin=subprocess.DEVNULL,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    env=dict(self._environment),
                    start_new_session=True,
                )

    async def poll(self, batch: int, *, timeout_seconds: float = 30.0) -> Polled:
        """Invoke the function once *batch* messages (10 at most) have come, and follow its answer.

        Raises:
            AssertionError: they do not come.
        """
        messages: list[Mapping[str, Any]] = []

        async def came() -> bool:
            messages.extend(await self._received(batch - len(messages)))
            return len(messages) == batch

        await self._stage.until(came, what=f"{batch} messages for the function")
        return await self.invoke(messages, timeout_seconds=timeout_seconds)

    async def drain(self, *, timeout_seconds: float = 60.0) -> None:
        """Invoke the function with what comes, until nothing is left in the queue.

        Raises:
            AssertionError: something stays.
        """

        async def empty() -> bool:
            messages = await self._received(10)
            if messages:
                await self.invoke(messages, timeout_seconds=timeout_seconds)
            depth = await self._stage.depth()
            return depth.waiting == depth.in_hand == 0

        await self._stage.until(empty, seconds=90, what="the function has emptied the queue")

    async def _received(self, most: int) -> list[Mapping[str, Any]]:
        answer = await self._sqs.receive_message(
            QueueUrl=self._stage.region.queue_url, MaxNumberOfMessages=most, AttributeNames=RECEIVE_ATTRIBUTES
        )
        messages: list[Mapping[str, Any]] = answer.get("Messages", [])
        return messages

    async def invoke(self, messages: Sequence[Mapping[str, Any]], *, timeout_seconds: float) -> Polled:
        """Hand *messages*, as ReceiveMessage gave them, to the function, and follow its answer."""
        self.start()
        outcome = await self.runtime.invoke(
            {"Records": [record(message) for message in messages]}, timeout_seconds=timeout_seconds
        )
        if outcome.timed_out:
            self.kill()
        ids = tuple(str(message["MessageId"]) for message in messages)
        failed = _failed(outcome, ids)
        for message in messages:
            if message["MessageId"] not in failed:
                await self._sqs.delete_message(
                    QueueUrl=self._stage.region.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
        finished = self.lines("invocation_finished")
        return Polled(ids=ids, outcome=outcome, failed=failed, said=finished[-1] if finished else {})

    def kill(self) -> None:
        """End the environment, as Lambda does with one whose time ran out."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def record(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ReceiveMessage gave as a mapping passes it on ("Example standard queue message event")."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE_ARN,
        "awsRegion": HOME_REGION,
    }


def _failed(outcome: Outcome, ids: Sequence[str]) -> frozenset[str]:
    """Return which of *ids* Lambda keeps ("Success and failure conditions")."""
    match outcome.response:
        case {"batchItemFailures": None | []}:
            return frozenset()
        case {"batchItemFailures": [*items]}:
            named = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in items}
            return frozenset(ids) if not named <= set(ids) else frozenset(map(str, named))
        case _:
            return frozenset(ids)


@asynccontextmanager
async def deployment(stage: Drill, *, started: bool = True, **settings: str) -> AsyncIterator[Deployment]:
    """Deploy the function for the block, with *settings* on top; at its end it must have kept to the protocol."""
    log = stage.folder / "function.log"
    async with AsyncExitStack() as opened:
        runtime = await opened.enter_async_context(open_lambda_runtime())
        environment = await stage.environment(
            {
                "EXECUTION_MODE": "lambda",
                "AWS_LAMBDA_RUNTIME_API": runtime.address,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MEBIBYTES),
                "AWS_LAMBDA_FUNCTION_NAME": "logfanout",
                "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
                **settings,
            }
        )
        sqs = await opened.enter_async_context(stage.client("sqs"))
        deployed = Deployment(stage, environment=environment, sqs=sqs, log=log, runtime=runtime)
        log.touch()
        try:
            if started:
                deployed.start()
                async with asyncio.timeout(30):
                    await runtime.until_asked()
            yield deployed
        finally:
            deployed.kill()
        if runtime.wrong:
            raise AssertionError(f"the function broke the runtime API's rules: {runtime.wrong}")
