"""Codes in the words of a page: states and reasons of cells, kinds of items, colours of courses."""

import zlib

from flask import Flask
from flask_babel import gettext

from passport_lti.sync.reasons import NAMES, REMEDIES, STATES
from passport_lti.words import N_

KINDS = {
    "exam": N_("quiz"),
    "quiz": N_("quiz"),
    "programming": N_("programming"),
    "gradedprogramming": N_("programming"),
    "peer": N_("peer review"),
    "peerreview": N_("peer review"),
    "phasedpeer": N_("peer review"),
    "staffgraded": N_("graded by staff"),
    "gradedlti": N_("external tool"),
    "gradedlab": N_("lab"),
    "gradeddiscussionprompt": N_("discussion"),
    "assignmentsubmission": N_("assignment"),
}
TILES = 5
"""Colours of the tiles that stand for pictures (`passport.css`)."""


def init_app(app: Flask) -> None:
    app.template_filter("kind")(kind)
    app.template_filter("hue")(hue)


def kind(code: str) -> str:
    """A type of item in words; one that we do not know as Coursera writes it."""
    plain = code.lower().replace("_", " ")
    known = KINDS.get(plain.replace(" ", ""))
    return gettext(known) if known else plain


def hue(course_id: str) -> int:
    """The number of a colour, always the same for a course."""
    return zlib.crc32(course_id.encode()) % TILES


def explain(reason: str | None) -> str:
    """What a reason code means and what to do about it."""
    return gettext(REMEDIES[reason]) if reason in REMEDIES else ""


def state_names() -> dict[str, str]:
    """What each state of a cell is called, in the language of the page."""
    return {state: gettext(name) for state, name in STATES.items()}


def reason_name(reason: str | None) -> str:
    """A reason in a few words; the code itself where it has none."""
    return gettext(NAMES[reason]) if reason in NAMES else (reason or "")
