"""How the picker words what Coursera names: kinds of items, and a colour for each course."""

import zlib

from flask import Flask
from flask_babel import gettext

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
