"""Does a policy allow a request?

    policy documents, Request ──► allows

IAM's evaluation of one account, as far as this project's policies use it: "Policy evaluation logic", "IAM JSON policy
elements: Condition operators" and "Policy variables" of the IAM User Guide. It is strict where IAM is lenient: an
element, an operator or a variable it does not know raises, so that no policy passes for a reason nobody has thought of.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ELEMENTS = frozenset({"Sid", "Effect", "Action", "Resource", "Principal", "Condition"})
VARIABLE = re.compile(r"\$\{([^}]*)\}")
KNOWN_VARIABLES = re.compile(r"aws:PrincipalTag/[\w-]+")


class NotUnderstood(Exception):
    """The policy says something this module does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what. *by* is a role's ARN, a service's or a provider's name; *context* has IAM's keys."""

    action: str
    resource: str = "*"
    by: str = ""
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)

    def value_of(self, key: str) -> str | Sequence[str] | None:
        """Return the value of a condition key, whose name's case does not matter; ``None`` if the request has none."""
        found = {name.lower(): value for name, value in self.context.items()}
        return found.get(key.lower())


def allows(request: Request, *policies: Mapping[str, Any]) -> bool:
    """Whether some statement of *policies* allows the request and none denies it."""
    applying = [s["Effect"] for policy in policies for s in statements(policy) if _applies(s, request)]
    return "Allow" in applying and "Deny" not in applying


def denies(request: Request, *policies: Mapping[str, Any]) -> bool:
    """Whether some statement denies the request outright, whoever else allows it."""
    return any(s["Effect"] == "Deny" and _applies(s, request) for policy in policies for s in statements(policy))


def statements(policy: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return a policy's statements.

    Raises:
        NotUnderstood: it is no policy of the version we write, or has an element we do not evaluate.
    """
    if policy.get("Version") != "2012-10-17":
        raise NotUnderstood(f"Version {policy.get('Version')!r}: variables would be plain text")
    found: Sequence[Mapping[str, Any]] = policy["Statement"]
    for statement in found:
        if unknown := set(statement) - ELEMENTS:
            raise NotUnderstood(f"{sorted(unknown)} in {statement.get('Sid')}")
        if statement["Effect"] not in ("Allow", "Deny"):
            raise NotUnderstood(f"Effect {statement['Effect']}")
    return found


def each(value: str | Iterable[str]) -> tuple[str, ...]:
    """Return an element's values: IAM takes one as well as a list of one."""
    return (value,) if isinstance(value, str) else tuple(value)


def _applies(statement: Mapping[str, Any], request: Request) -> bool:
    return (
        any(_like(request.action.lower(), action.lower()) for action in each(statement["Action"]))
        and _names_resource(statement, request)
        and _names_principal(statement, request)
        and _holds(statement.get("Condition", {}), request)
    )


def _names_resource(statement: Mapping[str, Any], request: Request) -> bool:
    if "Resource" not in statement:  # a trust policy speaks of its own role
        return True
    patterns = (_filled(pattern, request) for pattern in each(statement["Resource"]))
    return any(pattern == "*" or _arn_like(request.resource, pattern) for pattern in patterns if pattern is not None)


def _names_principal(statement: Mapping[str, Any], request: Request) -> bool:
    if "Principal" not in statement:  # a role's own policy speaks of that role
        return True
    named = statement["Principal"]
    if named == "*":
        return True
    for kind, names in named.items():
        for name in each(names):
            if kind == "AWS":
                account_of = name.split(":")[4]
                whole_account = name.endswith(":root") and request.by.split(":")[4:5] == [account_of]
                if name == request.by or whole_account:
                    return True
            elif kind in ("Service", "Federated"):
                if name == request.by:
                    return True
            else:
                raise NotUnderstood(f"a principal of kind {kind}")
    return False


# -- conditions

Compare = Callable[[str, str], bool]


def _like(value: str, pattern: str) -> bool:
    """Whether *value* matches: ``*`` any text, ``?`` any character; ``\\0`` before a character makes it plain."""
    regex, literal = [], False
    for character in pattern:
        if literal:
            regex.append(re.escape(character))
            literal = False
        elif character == "\0":
            literal = True
        else:
            regex.append({"*": ".*", "?": "."}.get(character, re.escape(character)))
    return re.fullmatch("".join(regex), value, re.DOTALL) is not None


def _arn_like(value: str, pattern: str) -> bool:
    """Whether the six parts of two ARNs match, each for itself: a wildcard does not reach over a colon."""
    ours, theirs = value.split(":", 5), pattern.split(":", 5)
    return len(ours) == len(theirs) == 6 and all(map(_like, ours, theirs))


OPERATORS: Mapping[str, tuple[Compare, bool]] = {  # operator: how two values compare, and whether it says "not"
    "StringEquals": (lambda value, wanted: value == wanted.replace("\0", ""), False),
    "StringNotEquals": (lambda value, wanted: value == wanted.replace("\0", ""), True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnEquals": (_arn_like, False),
    "ArnLike": (_arn_like, False),
    "Bool": (lambda value, wanted: value.lower() == wanted.lower(), False),
}


def _holds(conditions: Mapping[str, Mapping[str, Any]], request: Request) -> bool:
    """Whether every operator holds for every key."""
    return all(
        _holds_for(operator, request.value_of(key), each(wanted), request)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds_for(operator: str, value: str | Sequence[str] | None, wanted: Sequence[str], request: Request) -> bool:
    if operator == "Null":
        return (value is None) == (wanted[0] == "true")
    quantifier, _, name = operator.rpartition(":")
    name, if_exists = (name.removesuffix("IfExists"), name.endswith("IfExists"))
    if name not in OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise NotUnderstood(f"the operator {operator}")
    compare, negated = OPERATORS[name]
    if value is None:
        return if_exists or quantifier == "ForAllValues" or (negated and quantifier == "")

    known = [filled for each_wanted in wanted if (filled := _filled(each_wanted, request)) is not None]

    def fits(one: str) -> bool:
        return any(compare(one, each_known) for each_known in known) != negated

    if quantifier == "":
        if not isinstance(value, str):
            raise NotUnderstood(f"{operator} over several values")
        return fits(value)
    return (all if quantifier == "ForAllValues" else any)(fits(one) for one in each(value))


def _filled(text: str, request: Request) -> str | None:
    """Return *text* with its variables' values, whose wildcards are plain; ``None`` if the request lacks one."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        if not KNOWN_VARIABLES.fullmatch(match[1]):
            raise NotUnderstood(f"the variable {match[0]}")
        found = request.value_of(match[1])
        missing = missing or found is None
        return "".join(f"\0{character}" for character in found) if isinstance(found, str) else ""

    filled = VARIABLE.sub(value, text)
    return None if missing else filled
