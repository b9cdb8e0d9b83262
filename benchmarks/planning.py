"""W4: what planning four million grades costs, of which one in a hundred has changed.

A context with 100,000 learners and a course with 40 items, option B: every cell is delivered, and
the report is read once more with 1 % of the grades changed, at random; then with 0.1 %, and 10 %.
Measured is what follows the reading: who is who, what differs, and the changed cells stored as due.
It runs in a process of its own; the memory is what that process grows by from before the report
with 1 % is read to the end of its plan.
"""

import gc
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, text, update

import databases
from benchmarks.figures import Figure, LeftOut, Load
from passport_lti.coursera.rows import RawRow
from passport_lti.coursera.sweep import Sweep
from passport_lti.extensions import db
from passport_lti.grades import Course, GradableItem
from passport_lti.models import Activity, Cell, Context, LineItem, Member, Membership
from passport_lti.sync.poll.planning import Planning
from worlds import World, opened

SHARE, OTHER_SHARES = 0.01, (0.001, 0.1)
NAMES = ("plan_seconds_4m_sqlite", "plan_seconds_4m_postgresql", "plan_rss_mb")
WORKLOADS = {"W4": NAMES}
LOADS = {"W4": ("plan_seconds_4m_tenth_of_1_percent", "plan_seconds_4m_10_percent")}
ITEMS = 40
MANY, FEW = 100_000, 25_000
"""Learners: four million grades, and one."""
LOOKED_UP = 3_000
"""Grades that the peer looks up; the rest is reckoned from them."""


@dataclass(frozen=True)
class Measured:
    """One planning: seconds (elapsed, and of CPU), growth of memory in MB, cells changed."""

    seconds: float
    cpu: float
    memory: float
    changed: int
    orm: float
    """Seconds that one SELECT and one object for each grade would take."""
    first: float
    """Seconds of the first plan, in which every grade is new."""
    bytes: float
    """What the database keeps for each grade, once delivered."""
    others: list[float]
    """Seconds with the other shares changed."""


def figures() -> Iterator[Figure | Load | LeftOut]:
    grown, others = [], {}
    for kind in databases.KINDS:
        name = f"plan_seconds_4m_{kind}"
        try:
            small = in_a_process(kind, FEW)
            large = in_a_process(kind, MANY, OTHER_SHARES)
        except RuntimeError as error:
            yield LeftOut(name, str(error))
            continue
        grown.append((large.memory, small.memory))
        others[kind] = large.others
        peers = {"orm_loop": large.orm, "ours_1m_x4": small.seconds * MANY / FEW}
        yield Figure(name, "s", large.seconds, 6, peers=peers)
    if grown:
        most, small_memory = max(grown)
        yield Figure("plan_rss_mb", "MB", most, 64, peers={"ours_1m": small_memory})
    for number, name in enumerate(LOADS["W4"] if others else ()):
        both = {f"ours_{kind}": seconds[number] for kind, seconds in others.items()}
        yield Load(name, "s", max(both.values()), None, "W4", both)


def in_a_process(kind: str, learners: int, others: Sequence[float] = ()) -> Measured:
    """Raises RuntimeError with the last line that it said."""
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.planning", kind, str(learners), *map(str, others)],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    if answer.returncode:
        raise RuntimeError((answer.stderr.strip().splitlines() or ["it failed"])[-1])
    return Measured(**json.loads(answer.stdout.splitlines()[-1]))


def measure(kind: str, learners: int, others: Sequence[float] = ()) -> Measured:
    """Fill a context, change a few grades, and plan them; then so much else."""
    with opened(kind) as world, world.app.app_context():
        context, activities, course = _course(world, learners)
        place, every = (world, context, activities, course, learners), learners * ITEMS
        empty = _size(kind)
        first, _, changed = _planned(*place)
        assert changed == every
        _delivered(kind)
        size = (_size(kind) - empty) / every
        # As the processes of the tool do when they have started.
        gc.collect()
        gc.freeze()
        before = _memory("VmRSS")
        seconds, cpu, changed = _planned(*place, SHARE)
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024) - before
        later, shares = list[float](), [SHARE]
        for share in others:
            _delivered(kind)
            shares.append(share)
            took, _, found = _planned(*place, *shares)
            assert 0.8 < found / every / share < 1.2, (share, found)
            later.append(took)
        orm = _looked_up(learners)
        db.session.remove()
    return Measured(seconds, cpu, memory, changed, orm, first, size, later)


def _planned(
    world: World, context: Context, activities: list[Activity], course: Course, learners: int,
    *shares: float,
) -> tuple[float, float, int]:  # fmt: skip
    """Read the report with these shares changed and plan it; seconds, those of CPU, and cells."""
    with _report(world, course, learners, random.Random(1), *shares) as report:
        began, cpu = time.monotonic(), time.process_time()
        changed = _plan(world, context, activities, course, report)
        return time.monotonic() - began, time.process_time() - cpu, changed


def _delivered(kind: str) -> None:
    """Everything that was due has arrived."""
    db.session.execute(
        update(Cell)
        .where(Cell.state == "due")
        .values(
            state="delivered", due_at=None, delivered_given=Cell.wanted_given,
            delivered_maximum=Cell.wanted_maximum, delivered_completed=Cell.completed,
        )
    )  # fmt: skip
    db.session.commit()
    if kind == "postgresql":
        # As its own housekeeping does in the minutes after so much has changed.
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    db.session.expire_all()


def _size(kind: str) -> float:
    """Bytes of the database."""
    if kind == "postgresql":
        return float(db.session.scalar(text("SELECT pg_database_size(current_database())")))
    pages = db.session.scalar(text("PRAGMA page_count"))
    return float(pages * db.session.scalar(text("PRAGMA page_size")))


def _course(world: World, learners: int) -> tuple[Context, list[Activity], Course]:
    """Option B of a course in a context with so many members, its columns standing."""
    [activity] = world.publish("columns", "granular_auto_columns")
    world.meet(activity)
    row = db.session.scalars(select(Activity)).one()
    context = row.context
    now = world.services.clock()
    context.roster_read_at = context.line_items_read_at = now + timedelta(days=1)
    ids = [f"item{n:02}" for n in range(ITEMS)]
    items = tuple(
        GradableItem(id=one, name=one, type="EXAM", order=n, weight=1 / ITEMS)
        for n, one in enumerate(ids)
    )
    course = Course(row.program_id, row.course_id, "Large", "large", items)
    platform = context.deployment.platform_id
    db.session.add_all(
        LineItem(
            context_fk=context.id, url=f"https://campus.example/{one}/lineitem",
            resource_id=f"coursera:{course.id}:{one}", owner="tool", label=one, maximum=100.0,
            wanted_maximum=100.0, position=n, made=True, created_at=now,
        )
        for n, one in enumerate(ids)
    )  # fmt: skip
    db.session.flush()
    first = (db.session.scalar(select(func.max(Member.id))) or 0) + 1
    for start in range(0, learners, 5_000):
        numbers = range(start, min(start + 5_000, learners))
        db.session.execute(
            insert(Member),
            [
                {"id": first + n, "platform_id": platform, "sub": f"b{n}", "external_id": _name(n),
                 "email": _name(n), "seen_at": now}
                for n in numbers
            ],
        )  # fmt: skip
        db.session.execute(
            insert(Membership),
            [
                {"context_fk": context.id, "member_fk": first + n, "role": "learner",
                 "state": "active"}
                for n in numbers
            ],
        )  # fmt: skip
    db.session.commit()
    return context, [row], course


def _name(number: int) -> str:
    return f"learner{number}@campus.example"


def _report(
    world: World, course: Course, learners: int, chance: random.Random, *shares: float
) -> Sweep:
    """The report; for each share, so many of its grades are other ones than in that before."""
    found = Sweep(course.program_id, course.id, world.services.clock())
    news = [(random.Random(2 + number), share) for number, share in enumerate(shares)]
    for number in range(learners):
        items = {item.id: round(chance.random() * 100, 2) for item in course.items}
        for dice, share in news:
            for one in items:
                if dice.random() < share:
                    items[one] = (items[one] + 17) % 100
        found._keep(
            RawRow(
                _name(number), _name(number), f"Learner {number}", course.program_id, course.id,
                None, items, False, 1_700_000_000_000,
            )
        )  # fmt: skip
    return found


def _plan(
    world: World, context: Context, activities: list[Activity], course: Course, report: Sweep
) -> int:
    began = world.services.clock()
    client = world.services.coursera("practice")
    return Planning(world.services, client, course, report, "percent", began, False).plan(
        context, activities
    )


def _looked_up(learners: int) -> float:
    """A SELECT and an ORM object for each of some grades, and the seconds that all would take."""
    pairs = db.session.execute(select(Cell.line_item_fk, Cell.member_fk).limit(LOOKED_UP)).all()
    db.session.expunge_all()
    began = time.monotonic()
    for line_item, member in pairs:
        found = db.session.scalars(select(Cell).filter_by(line_item_fk=line_item, member_fk=member))
        assert found.one().wanted_given is not None
    return (time.monotonic() - began) * learners * ITEMS / LOOKED_UP


def _memory(name: str) -> float:
    """A line of what the system says of this process, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    [found] = [line for line in lines if line.startswith(f"{name}:")]
    return int(found.split()[1]) / 1024


if __name__ == "__main__":
    found = measure(sys.argv[1], int(sys.argv[2]), [float(word) for word in sys.argv[3:]])
    print(json.dumps(vars(found)))
