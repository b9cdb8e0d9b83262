"""A cell's story, told from what it was before each of its changes."""

from datetime import UTC, datetime, timedelta

from passport_lti.models import Cell, CellChange
from passport_lti.sync.history import CAUSES, Points, events

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def stage(cause: str | None = None, moment: int = 0, **values: object) -> Cell | CellChange:
    """What a cell was until `moment`, or with no cause, what it is now."""
    values.setdefault("wanted_maximum", 100.0)
    values.setdefault("state", "due")
    if cause is None:
        return Cell(**values)
    return CellChange(cause=cause, at=at(moment), **values)


def told(*stages: Cell | CellChange) -> list[tuple[object, ...]]:
    return [
        (
            event.cause,
            (event.at - START).seconds // 60,
            event.before.given if event.before else None,
            event.after.given if event.after else None,
            event.reason,
        )
        for event in events(stages)
    ]


def test_a_cell_read_and_delivered_once_tells_it_by_itself() -> None:
    cell = stage(
        wanted_given=80.0, delivered_given=80.0, delivered_maximum=100.0, state="delivered",
        read_at=at(1), accepted_at=at(2),
    )  # fmt: skip
    assert told(cell) == [("read", 1, None, 80, None), ("delivered", 2, None, 80, None)]


def test_a_cell_on_its_way_was_only_read() -> None:
    assert told(stage(wanted_given=80.0, read_at=at(1))) == [("read", 1, None, 80, None)]


def test_a_regrade_shows_both_values_and_both_arrivals() -> None:
    first = stage(
        "read", 10, wanted_given=80.0, delivered_given=80.0, delivered_maximum=100.0,
        state="delivered", read_at=at(1), accepted_at=at(2),
    )  # fmt: skip
    now = stage(
        wanted_given=70.0, delivered_given=70.0, delivered_maximum=100.0, state="delivered",
        read_at=at(10), accepted_at=at(11),
    )  # fmt: skip
    assert told(first, now) == [
        ("read", 1, None, 80, None),
        ("delivered", 2, None, 80, None),
        ("read", 10, 80, 70, None),
        ("delivered", 11, 80, 70, None),
    ]


def test_a_refusal_keeps_its_reason_after_the_delivery() -> None:
    first = stage("rejected", 2, wanted_given=80.0, read_at=at(1), because="locked")
    now = stage(
        wanted_given=80.0, delivered_given=80.0, delivered_maximum=100.0, state="delivered",
        read_at=at(1), accepted_at=at(60),
    )  # fmt: skip
    assert told(first, now)[1:] == [
        ("rejected", 2, 80, 80, "locked"),
        ("delivered", 60, None, 80, None),
    ]


def test_an_arrival_that_a_newer_value_overtook_is_told() -> None:
    first = stage("read", 5, wanted_given=80.0, read_at=at(1))
    kept = stage(
        "overtaken", 6, wanted_given=90.0, delivered_given=80.0, delivered_maximum=100.0,
        read_at=at(5), accepted_at=at(6),
    )  # fmt: skip
    now = stage(
        wanted_given=90.0, delivered_given=90.0, delivered_maximum=100.0, state="delivered",
        read_at=at(5), accepted_at=at(7),
    )  # fmt: skip
    assert told(first, kept, now) == [
        ("read", 1, None, 80, None),
        ("read", 5, 80, 90, None),
        ("delivered", 6, None, 80, None),
        ("delivered", 7, 80, 90, None),
    ]


def test_a_value_held_from_the_start_has_no_points() -> None:
    held = stage(wanted_given=None, state="held", reason="scale_unknown", read_at=at(1))
    assert told(held) == [("read", 1, None, None, "scale_unknown")]


def test_points_know_their_maximum() -> None:
    [event] = events([stage(wanted_given=8.0, wanted_maximum=10.0, read_at=at(1))])
    assert event.after == Points(8.0, 10.0) and event.cause in CAUSES
