"""The objects that the worker's tests read are what the collector's programs and its sink make."""

from tests.k8s import objects


def test_the_workers_fixtures_hold_what_the_collector_writes() -> None:
    """`make k8s-fixtures` would change nothing in them."""
    made = {name: body for name, _, body in objects.bodies()}
    there = {
        name: objects.INFLATERS[compression]((objects.FOLDER / name).read_bytes())
        for name, compression, _ in objects.bodies()
    }
    assert there == made
    assert (objects.FOLDER / "expected.json").read_bytes() == objects.expected()
    assert {path.name for path in objects.FOLDER.iterdir()} == made.keys() | {"expected.json"}


def test_the_sinks_own_framing_and_compressions_are_among_them() -> None:
    """The other framing is Vector's default, which older collectors write."""
    sink = objects.sink()
    assert sink["framing"]["method"] in objects.FRAMINGS
    assert sink["compression"] == "${COMPRESSION:-gzip}"
