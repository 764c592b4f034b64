"""A key is read by its layout or not at all, a stream's name is always legal, and a filter never opens by itself."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logfanout.errors import KeyUnreadable
from logfanout.pipeline.routes import KeyFields, KeyLayout, StreamNaming, wanting
from logfanout.tenants import log_groups, rows

LAYOUT = KeyLayout.parse("{tenant}/{cluster}/{application}/{pod}/")
OTHER_LAYOUT = KeyLayout.parse("{cluster}/{tenant}/{application}/{pod}/")
NAMING = StreamNaming.parse("{application}-{pod}-{date}")
DAY = 20_514  # 2026-03-02
LEGAL_STREAM = re.compile(r"[^:*]{1,512}", re.DOTALL)  # CreateLogStream, "logStreamName"


def fields(**changes: str) -> KeyFields:
    return KeyFields(**({"tenant": "acme", "cluster": "c1", "application": "web", "pod": "p-1", "file": "f"} | changes))


def test_the_two_layouts_in_use() -> None:
    """Tenant before cluster, or cluster before tenant: the operator says which."""
    expected = fields(file="20260302.json.gz")
    assert LAYOUT.read("acme/c1/web/p-1/20260302.json.gz") == expected
    assert OTHER_LAYOUT.read("c1/acme/web/p-1/20260302.json.gz") == expected


def test_fixed_segments_must_be_there() -> None:
    """A layout may hold fixed texts; a key without them is another kind of object."""
    layout = KeyLayout.parse("logs/v1/{tenant}/{application}/")
    assert layout.read("logs/v1/acme/web/f") == KeyFields(tenant="acme", application="web", file="f")
    with pytest.raises(KeyUnreadable, match="'v1' is missing"):
        layout.read("logs/v2/acme/web/f")


def test_the_file_may_lie_deeper() -> None:
    """What follows the layout is the file's name, slashes included."""
    assert LAYOUT.read("acme/c1/web/p-1/2026/03/02/f.gz").file == "2026/03/02/f.gz"


@pytest.mark.parametrize("segment", ["a b", "a+b", "100%", "€", "😀", "*", "a:b", "..a", "-", "a\\b"])
def test_a_segment_may_be_any_text(segment: str) -> None:
    """Names are the tenants' own; what a log stream cannot hold is replaced there, not here."""
    assert LAYOUT.read(f"acme/c1/{segment}/p-1/f").application == segment


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "f",
        "acme/c1/web/p-1",
        "acme/c1/web/p-1/",
        "/acme/c1/web/p-1/f",
        "acme//web/p-1/f",
        "acme/c1/web//f",
        "acme/../web/p-1/f",
        "./c1/web/p-1/f",
        "acme/c1/web/ p-1/f",
        "acme/c1/web\n/p-1/f",
        "acme/c1/web\0/p-1/f",
        "acme\u202e/c1/web/p-1/f",
        "acme/c1/\ud800/p-1/f",
        "x" * 5000,
    ],
)
def test_other_keys_are_refused(key: str) -> None:
    """Too few segments, an empty, a relative or an unprintable one: nobody's logs."""
    with pytest.raises(KeyUnreadable) as refused:
        LAYOUT.read(key)
    assert len(str(refused.value)) < 1000
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "{tenant}/{application}",
        "{tenant}/",
        "{application}/",
        "{tenant}/{tenant}/{application}/",
        "{tenant}/{application}/{day}/",
        "{tenant}-{application}/",
        "{tenant}//{application}/",
        "{tenant}/{application}/}/",
        "{tenant}/{application!r}/",
    ],
)
def test_a_layout_must_make_sense(text: str) -> None:
    """A layout that names no tenant, or something else, is refused where it is set."""
    with pytest.raises(ValueError, match=r"must|neither"):
        KeyLayout.parse(text)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=8).map("/".join))
def test_any_key_is_read_or_refused(key: str) -> None:
    """What is read says again what the key said."""
    try:
        found = LAYOUT.read(key)
    except KeyUnreadable:
        return
    assert f"{found.tenant}/{found.cluster}/{found.application}/{found.pod}/{found.file}" == key
    assert all((found.tenant, found.cluster, found.application, found.pod, found.file))


# Stream names.


def test_a_stream_is_named_for_its_day() -> None:
    """The date is the events' own, so that a stream ends with its day."""
    assert NAMING.dated
    assert NAMING.name(fields(), day=DAY) == "web-p-1-2026-03-02"
    assert NAMING.name(fields(), day=0) == "web-p-1-1970-01-01"


def test_a_stream_may_do_without_a_date() -> None:
    """Then all days share it."""
    naming = StreamNaming.parse("{tenant}/{cluster}/{pod}")
    assert not naming.dated
    assert naming.name(fields(), day=DAY) == naming.name(fields(), day=0) == "acme/c1/p-1"


def test_illegal_characters_are_replaced() -> None:
    """CloudWatch takes neither colons nor stars."""
    assert NAMING.name(fields(application="a:b*c", pod="{date}"), day=DAY) == "a_b_c-{date}-2026-03-02"


@pytest.mark.parametrize("text", ["{application}-{pod}-{date}", "{date}/{pod}", "{date}"])
def test_a_long_name_keeps_its_date(text: str) -> None:
    """The days of one pod stay apart, however long its name."""
    naming = StreamNaming.parse(text)
    names = {naming.name(fields(pod="p" * 1000), day=day) for day in range(DAY, DAY + 30)}
    assert len(names) == 30
    assert all(LEGAL_STREAM.fullmatch(name) for name in names)


def test_a_name_is_never_empty() -> None:
    """A naming whose only field the layout does not have still names a stream."""
    assert StreamNaming.parse("{pod}").name(fields(pod=""), day=DAY) == "_"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fixed",
        "{}",
        "{0}",
        "{key}",
        "{application.x}",
        "{pod!r}",
        "{pod:>9}",
        "{pod",
        "pod}",
        "{pod}:{date}",
        "*{pod}",
    ],
)
def test_a_naming_must_make_sense(text: str) -> None:
    """What CloudWatch would refuse for every object is refused where it is set."""
    with pytest.raises(ValueError):
        StreamNaming.parse(text)


@given(
    st.builds(fields, application=st.text(max_size=600), pod=st.text(max_size=600), cluster=st.text(max_size=9)),
    st.sampled_from(["{application}-{pod}-{date}", "{pod}", "{cluster}{date}{application}", "{tenant}"]),
    st.integers(0, 40_000),
)
def test_every_stream_name_is_legal(key: KeyFields, text: str, day: int) -> None:
    """Whatever a key holds, CloudWatch takes the name."""
    assert LEGAL_STREAM.fullmatch(StreamNaming.parse(text).name(key, day=day))


# Who wants it.

ROW = {
    "tenant_id": "acme",
    "type": "cloudwatch",
    "log_distribution_role_arn": "arn:aws:iam::111122223333:role/logfanout",
    "log_group_name": "/acme",
}


def takers(application: str, **changes: Any) -> int:
    """How many destinations take *application*'s logs."""
    kinds = {"cloudwatch": log_groups}
    tenant = rows.read([ROW | changes], kinds=kinds, tenant="acme", region="us-east-1", now_seconds=1e9)
    assert tenant is not None
    return len(wanting(tenant, application=application))


@pytest.mark.parametrize(
    ("wanted", "application", "taken"),
    [
        (None, "web", True),
        ([], "web", True),
        (["web"], "web", True),
        (["api", "web"], "web", True),
        ({"api", "web"}, "web", True),
        (["web"], "web-2", False),
        (["web"], "Web", True),
        (["web"], "my-web", False),
        (["*"], "web", True),
        (["web-*"], "web-2", True),
        (["web-*"], "web-", True),
        (["web-*"], "web", False),
        (["*-api"], "kube-api", True),
        (["*api*"], "kube-apiserver", True),
        (["a*b*c"], "a-b-b-c", True),
        (["a*b*c"], "a-c-b", False),
        (["a**b"], "ab", True),
        (["w.b"], "web", False),
        (["web|api"], "api", False),
        (["["], "[", True),
        (["*"], "with\nnewline", True),
    ],
)
def test_a_filter_takes_names_and_stars(wanted: Any, application: str, taken: bool) -> None:
    """A star stands for any text, everything else for itself, in any case; none at all takes everything."""
    assert takers(application, desired_logs=wanted) == taken


@pytest.mark.parametrize(
    "changes",
    [
        {"desired_logs": "web"},
        {"desired_logs": {"web": True}},
        {"desired_logs": [1]},
        {"desired_logs": [""]},
        {"desired_logs": ["web", None]},
        {"desired_logs": [["web"]]},
        {"desired_logs": True},
        {"desired_logs": 0},
        {"desired_logs": b"web"},
        {"groups": "API"},
        {"groups": ["no such group"]},
    ],
)
def test_a_malformed_filter_takes_nothing(changes: dict[str, Any]) -> None:
    """A mistake in a filter closes it: it never sends what was not asked for."""
    assert takers("web", **changes) == 0


def test_a_disabled_destination_takes_nothing() -> None:
    """A disabled tenant is a tenant nevertheless."""
    assert takers("web", enabled=False) == 0
    assert takers("web", enabled=True) == 1


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "*"]), min_size=1, max_size=8).map("".join), st.text("abc", max_size=12)
)
def test_stars_mean_what_a_plain_search_finds(pattern: str, application: str) -> None:
    """The quick way to match agrees with the one that tries everything."""
    expected = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), application) is not None
    assert takers(application or "c", desired_logs=[pattern]) == (
        expected if application else takers("c", desired_logs=[pattern])
    )


def test_no_filter_takes_for_ever() -> None:
    """A filter full of stars against a name made for it is decided at once."""
    assert takers("a" * 1000, desired_logs=["a*" * 120 + "b"]) == 0
