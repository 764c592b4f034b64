"""What does a drill read of what became of its logs?

    Holdings ──► Finding, one a log group      dead letters ──► Letter      /metrics ──► metric

In the words of the demo's audit, which compares.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from logfanout.demo import audit, fleet
from logfanout.demo.pods import Event
from logfanout.testing.strict_aws import Holdings, Put

PREFIX = "logfanout."  # of a dead letter's attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter."""

    body: str
    attributes: Mapping[str, str]  # without the prefix

    @property
    def reason(self) -> str:
        """Why it died; empty: SQS gave it up."""
        return self.attributes.get("reason", "")


def read_letter(message: Mapping[str, Any]) -> Letter:
    """Return a message of the dead-letter queue as a letter."""
    given: Mapping[str, Mapping[str, str]] = message.get("MessageAttributes", {})
    return Letter(
        body=str(message["Body"]),
        attributes={name.removeprefix(PREFIX): value["StringValue"] for name, value in given.items()},
    )


def found(holdings: Holdings) -> list[audit.Finding]:
    """Return everything that was accepted, by log group."""
    sightings: dict[audit.Place, list[audit.Sighting]] = {}
    for put in holdings.puts:
        seen = sightings.setdefault(audit.Place(*put.place), [])
        seen += (audit.Sighting(event, put.at_ms) for event in _events(put))
    return [audit.Finding(place=place, sightings=there) for place, there in sightings.items()]


def has_all(one: audit.Expectation, holdings: Holdings) -> bool:
    """Whether everything *one* expects has arrived, be it more often than once."""
    have = Counter[Event]()
    for put in holdings.puts:
        if audit.Place(*put.place) == one.place:
            have.update(_events(put))
    return all(have[event] >= len(puts) for event, puts in one.put_ms.items())


def _events(put: Put) -> Iterator[Event]:
    return map(Event, put.times, put.messages)


async def metric(running: fleet.Fleet, name: str) -> float:
    """Return what *running* says of the metric *name*, its labels included; 0 if it has not said anything yet."""
    async with aiohttp.ClientSession() as http, http.get(f"{running.console_url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next((float(line.removeprefix(name)) for line in lines if line.startswith(f"{name} ")), 0.0)
