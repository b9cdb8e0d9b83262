"""Another option for a standing activity: which ones it can have, and what each would change.

The column that a platform made with an activity can't change its meaning without losing grades:
one that holds an item's grades never holds course grades. Everything else may change, and back.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from passport_lti.extensions import db
from passport_lti.grades import Choice, Course, Owner
from passport_lti.models import Activity, Cell, LineItem
from passport_lti.sync.activities import linked
from passport_lti.sync.columns import retiring
from passport_lti.sync.columns.wishes import Wanted, elsewhere, wanted
from passport_lti.words import N_

LINKED = "granular_deep_linked"
WHOLE = ("final_grade", "granular_auto_columns")
"""Options for a whole course, which any activity of the whole course can have."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one column; `was` is its maximum before, where that changes."""

    label: str
    maximum: float
    was: float | None = None
    grades: int = 0


@dataclass(frozen=True, slots=True)
class Outlook:
    """The columns after a change: new ones, those that are there, and those left alone.

    `back` stand idle and are filled from now on; `lost` were deleted by a teacher; `missing` can
    only be made by the platform.
    """

    appear: tuple[Fate, ...]
    stay: tuple[Fate, ...]
    back: tuple[Fate, ...]
    idle: tuple[Fate, ...]
    lost: tuple[Fate, ...]
    missing: tuple[Fate, ...]


def item_of(activity: Activity) -> str | None:
    """The item whose grades the activity's own column holds, if it holds an item's."""
    strategy, choice = linked(activity)
    return choice.items[0] if strategy == LINKED and choice.items else None


def offered(activity: Activity) -> tuple[str, ...]:
    """The options that this activity can have, its own first one among them."""
    strategy, _ = linked(activity)
    whole = WHOLE if item_of(activity) is None else WHOLE[1:]
    return (LINKED, *whole) if strategy == LINKED else whole


def fitted(activity: Activity, strategy: str, choice: Choice) -> Choice:
    """The choice that the activity would really get: option A is as it was published."""
    return linked(activity)[1] if strategy == LINKED else choice


def refusal(activity: Activity, strategy: str, choice: Choice) -> str | None:
    """Why this activity can't have a choice, in one sentence; None if it can."""
    is_final = strategy == "final_grade" or (strategy in WHOLE and choice.include_final)
    if is_final and item_of(activity) is not None:
        return N_(
            "The column of this activity holds the grades of one item, and a course grade can't "
            "take their place. Leave the course grade out here, and add it with Select content."
        )
    return None


def outlook(activity: Activity, course: Course, strategy: str, choice: Choice) -> Outlook:
    """What a change would do to the columns that this activity has or would have. Reads only."""
    context, instead = activity.context, {activity.id: (strategy, choice)}
    group = _together(activity)
    after = wanted(group, course, instead)
    others = elsewhere(context, group, course)
    left = retiring.idle(context, group, course, [*after, *others])
    idle = tuple(
        Fate(row.label or row.resource_id, row.maximum, grades=_grades(row)) for row in left
    )
    mine = wanted([activity], course, instead)
    # What it wants no longer stays all the same where another activity wants it.
    gone = {row.id for row in [*left, *(want.line_item for want in mine)] if row is not None}
    shared = [
        want
        for want in wanted([activity], course)
        if want.line_item is not None and want.line_item.id not in gone
    ]
    fates: dict[str, list[Fate]] = {}
    for want in [*mine, *shared]:
        fates.setdefault(_kind(want), []).append(_fate(want))

    def those(kind: str) -> tuple[Fate, ...]:
        return tuple(fates.get(kind, ()))

    return Outlook(
        those("appear"), those("stay"), those("back"), idle, those("lost"), those("missing")
    )


def _together(activity: Activity) -> Sequence[Activity]:
    """The activities that are planned with this one, itself included."""
    return db.session.scalars(
        select(Activity)
        .where(
            Activity.context_fk == activity.context_fk,
            Activity.connection == activity.connection,
            Activity.program_id == activity.program_id,
            Activity.course_id == activity.course_id,
            Activity.state != "retired",
        )
        .order_by(Activity.id)
    ).all()


def _kind(want: Wanted) -> str:
    if want.line_item is None:
        return "appear" if want.column.owner is Owner.TOOL else "missing"
    return {"idle": "back", "gone": "lost"}.get(want.line_item.state, "stay")


def _fate(want: Wanted) -> Fate:
    line_item, column = want.line_item, want.column
    if line_item is None:
        return Fate(column.label, column.maximum)
    # A platform's own column keeps its size, and so does one that a teacher has resized.
    is_resized = abs(line_item.maximum - line_item.wanted_maximum) > 1e-6
    keeps = column.owner is Owner.PLATFORM or is_resized
    maximum = line_item.maximum if keeps else column.maximum
    was = None if abs(maximum - line_item.maximum) < 1e-6 else line_item.maximum
    return Fate(line_item.label or column.label, maximum, was, _grades(line_item))


def _grades(line_item: LineItem) -> int:
    """How many grades of ours the column holds."""
    return (
        db.session.scalar(
            select(func.count()).where(
                Cell.line_item_fk == line_item.id, Cell.delivered_given.is_not(None)
            )
        )
        or 0
    )
