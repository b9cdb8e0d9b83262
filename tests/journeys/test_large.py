"""The first sync of a large course, in a process of its own whose memory is measured."""

import os
import re
import subprocess
import sys

import pytest

from passport_lti.cli.demo import CONFIG

LEARNERS, ITEMS = 1000, 30

MEASURED = """
import atexit, pathlib, resource, sys
from passport_lti.cli import main

def note_peak():
    status = pathlib.Path("/proc/self/status")  # what the process had before it began counts not
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        peak = int(line.split()[1]) / 1024
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.0f} MiB", file=sys.stderr)

atexit.register(note_peak)
main()
"""
"""The command in a process that says at its end how much memory it had at most."""


def test_the_first_sync_of_1000_learners_and_30_items_is_complete_and_small(world):
    course = world.coursera.add_course(
        world.school.program, "Big", [(f"Item {n}", "EXAM", 1) for n in range(ITEMS)]
    )
    world.school.courses["big"] = course
    accounts = world.coursera.fill(course, learners=LEARNERS, seed=7)
    people = []
    for account in accounts:
        given, _, family = account.name.partition(" ")
        person = world.campus.add_person(given, family or "L", email=account.email)
        world.campus.enrol(world.school.context, person, "learner")
        people.append((person, account))
    [activity] = world.publish("big", "granular_auto_columns", include_final="1")
    world.campus.browser(world.school.learners[0]).launch(activity)

    answer = subprocess.run(
        [sys.executable, "-c", MEASURED, "--config", str(CONFIG), "sync"],
        env={**os.environ, **world.environ},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    peak = int(re.search(r"peak (\d+) MiB", answer.stderr)[1])
    assert peak < 300, f"{peak} MiB resident"
    wrong = [
        (person.id, item.name)
        for person, account in people
        for item in course.items
        if world.book[item.name, person] != reported(world, account, course, item)
    ]
    assert wrong == []


def reported(world, account, course, item):
    """What Coursera holds, in points of 100."""
    [enrollment] = world.coursera.enrollments(course=course, person=account)
    fraction = enrollment.standing.grades.get(item.id)
    return None if fraction is None else pytest.approx(fraction * 100, abs=1e-4)
