"""`python -m benchmarks.pages [--json]`: server time of the instructor's pages of a large course.

1,000 learners and 40 columns with 36,000 cells in all states; each page is asked for several
times, and the median counts. `cpu` is what remains of it on a busy machine.
"""

import json
import random
import sys
import time
from datetime import UTC, datetime
from statistics import median
from urllib.parse import parse_qs, urlsplit

from flask.testing import FlaskClient
from sqlalchemy import insert, select
from tabulate import tabulate

from passport_lti.cli.demo import Stage, staged
from passport_lti.extensions import db
from passport_lti.models import Activity as Stored
from passport_lti.models import Cell, LineItem, Match, Member, Membership

LEARNERS, COLUMNS, TIMES = 1000, 40, 5
TARGET = 0.5
"""Seconds of server time of a page."""
FILE = "whole table as CSV"
"""Streamed, learner by learner: no page, so without a target."""
STATES = (
    ("delivered", None), ("delivered", None), ("delivered", None), ("delivered", None),
    ("due", None), ("held", "overridden"), ("rejected", "not_gradable"),
)  # fmt: skip


def main() -> None:
    with staged(0) as stage:
        place, session = _large(stage)
        client = stage.app.test_client()
        figures = [
            {
                "name": name, "seconds": seconds, "cpu": cpu, "kilobytes": size // 1024,
                "met": None if name == FILE else seconds < TARGET,
            }
            for name, seconds, cpu, size in _measured(client, place, session)
        ]  # fmt: skip
    if "--json" in sys.argv[1:]:
        print(json.dumps({"figures": figures, "target": TARGET}, indent=2))
    else:
        print(tabulate([list(f.values()) for f in figures], list(figures[0]), floatfmt=".3f"))


def _measured(client: FlaskClient, place: str, session: str):  # type: ignore[no-untyped-def]
    with client.application.app_context():
        column = db.session.scalars(select(LineItem.id).where(LineItem.owner == "tool")).first()
        cell = db.session.scalars(select(Cell.id).where(Cell.line_item_fk == column)).first()
    pages = (
        ("activity", "", {}),
        ("activity, last page", "", {"page": 40}),
        ("activity, by state", "", {"state": "rejected"}),
        ("activity, missing grades", "", {"state": "missing"}),
        ("activity, by progress", "", {"sort": "-progress"}),
        ("activity, by a column", "", {"sort": f"-{column}"}),
        ("cell", f"/cells/{cell}", {}),
        ("people", "/people", {}),
        ("progress of a sync", "/progress", {}),
        ("chart of progress", "/progress.svg", {}),
        ("chart of syncs", "/syncs.svg", {}),
        (FILE, "/grades.csv", {}),
    )
    for name, path, query in pages:
        walls, cpus, size = [], [], 0
        for _ in range(TIMES):
            began, spent = time.perf_counter(), time.thread_time()
            answer = client.get(f"{place}{path}", query_string={"session": session, **query})
            size = len(answer.data)
            walls.append(time.perf_counter() - began)
            cpus.append(time.thread_time() - spent)
            assert answer.status_code == 200, (name, answer.status_code)
        yield name, median(walls), median(cpus), size


def _large(stage: Stage) -> tuple[str, str]:
    """A large option B with all its cells stored; its page's path and an instructor's session."""
    school = stage.school
    course = school.coursera.add_course(
        school.program, "Benchmark", [(f"Item {n}", "EXAM", 1) for n in range(COLUMNS)]
    )
    school.courses = {**school.courses, "large": course}
    [made] = school.publish(
        stage.tool, course="large", strategy="granular_auto_columns", include_final="0"
    )
    page = school.campus.browser(school.teacher).launch(made)
    parts = urlsplit(page.url)
    with stage.app.app_context():
        _store(int(parts.path.rsplit("/", 1)[1]))
    return parts.path, parse_qs(parts.query)["session"][0]


def _store(activity_id: int) -> None:
    dice, now = random.Random(1), datetime.now(UTC)
    activity = db.session.get_one(Stored, activity_id)
    platform = activity.context.deployment.platform_id
    members = [
        Member(
            platform_id=platform, sub=f"bench-{n}", name=f"Learner {dice.random():.6f}",
            email=f"l{n}@campus.example", external_id=f"l{n}@campus.example", seen_at=now,
        )
        for n in range(LEARNERS)
    ]  # fmt: skip
    columns = [
        LineItem(
            context_fk=activity.context_fk, url=f"https://campus.example/items/{n}",
            resource_id=f"coursera:{activity.course_id}:item{n}", owner="tool", label=f"Item {n}",
            maximum=100, wanted_maximum=100, position=n, created_at=now,
        )
        for n in range(COLUMNS)
    ]  # fmt: skip
    db.session.add_all([*members, *columns])
    db.session.flush()
    for member in members:
        db.session.add(
            Membership(context_fk=activity.context_fk, member_fk=member.id, role="learner")
        )
        db.session.add(
            Match(
                context_fk=activity.context_fk, member_fk=member.id,
                program_id=activity.program_id, course_id=activity.course_id,
                external_id=member.email, name=member.name, state="matched", by="email",
            )
        )  # fmt: skip
    cells = []
    for member in members:
        for column in columns:
            state, reason = dice.choice(STATES)
            given = float(dice.randint(0, 100))
            if dice.random() < 0.1:
                continue
            cells.append({
                "line_item_fk": column.id, "member_fk": member.id, "wanted_given": given,
                "wanted_maximum": 100.0, "completed": True, "version": 1, "attempts": 0,
                "forced": False, "sent_stamp": 0, "state": state, "reason": reason,
                "delivered_given": given if state == "delivered" else None,
                "delivered_maximum": 100.0, "coursera_at": now, "read_at": now,
                "accepted_at": now if state == "delivered" else None,
            })  # fmt: skip
    db.session.execute(insert(Cell), cells)
    db.session.commit()


if __name__ == "__main__":
    main()
