"""How does another process look at the double, and spoil it?

    GET /_strict/holdings · POST /_strict/faults · DELETE /_strict/faults · POST /_strict/expire · POST /_strict/reset

For a bench or a person; tests in the same process use ``StrictAws`` itself. A fault is a rule's fields and the name of
its effect: ``{"on": "logs:*", "effect": "throttled", "share": 0.5}``; effects are the misfortunes, and ``reset``,
``truncate`` and ``delay`` with an ``amount``.
"""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from logfanout.testing.strict_aws import answers
from logfanout.testing.strict_aws.answers import Answer, Misfortune
from logfanout.testing.strict_aws.faults import Delay, Effect, Fault, Refuse, Reset, Truncate

if TYPE_CHECKING:
    from logfanout.testing.strict_aws.door import StrictAws

PATH = "/_strict/"


class _Rule(msgspec.Struct, forbid_unknown_fields=True):
    on: str
    effect: str
    amount: float = 0.5
    account: str = "*"
    resource: str = "*"
    skip: int = 0
    times: int | None = None
    share: float = 1.0
    after: bool = False


def answer(aws: "StrictAws", method: str, path: str, body: bytes) -> Answer:
    """Return the answer to one request below ``PATH``."""
    match method, path.removeprefix(PATH):
        case "GET", "holdings":
            return answers.json(_counts(aws))
        case "POST", "faults":
            return _added(aws, body)
        case "DELETE", "faults":
            aws.faults.lift()
        case "POST", "expire":
            aws.sessions.expire()
        case "POST", "reset":
            aws.reset()
        case _:
            return Answer(status=404, body=b"no such thing\n")
    return answers.json({})


def _added(aws: "StrictAws", body: bytes) -> Answer:
    try:
        rule = msgspec.json.decode(body, type=_Rule)
        effect = _effect(rule)
    except (msgspec.DecodeError, ValueError) as error:
        return Answer(status=400, body=f"{error}\n".encode())
    aws.faults.add(
        Fault(
            on=rule.on,
            effect=effect,
            account=rule.account,
            resource=rule.resource,
            skip=rule.skip,
            times=rule.times,
            share=rule.share,
            after=rule.after,
        )
    )
    return answers.json({})


def _effect(rule: _Rule) -> Effect:
    match rule.effect:
        case "reset":
            return Reset()
        case "truncate":
            return Truncate(rule.amount)
        case "delay":
            return Delay(rule.amount)
        case name:
            return Refuse(Misfortune(name))


def _counts(aws: "StrictAws") -> dict[str, object]:
    """Counts by group; the events themselves are read as on AWS, by GetLogEvents."""
    puts, events, size_bytes = Counter[str](), Counter[str](), Counter[str]()
    for put in aws.holdings.puts:
        name = "/".join((put.place.account, put.place.region, put.place.group))
        puts[name] += 1
        events[name] += put.count
        size_bytes[name] += put.size_bytes
    return {
        "groups": {name: {"puts": puts[name], "events": events[name], "bytes": size_bytes[name]} for name in puts},
        "events": events.total(),
        "bytes": size_bytes.total(),
        "broken": [f"{one.place.account} {one.place.group}: {one.code}: {one.message}" for one in aws.holdings.broken],
    }
