"""mod/lti/services.php: who may ask, and which service answers."""

from typing import TYPE_CHECKING

from passport_lti.sandbox.campus import ags, nrps, scores
from passport_lti.sandbox.campus.messages import Answer, Call, Refusal, refuse

if TYPE_CHECKING:
    from passport_lti.sandbox.campus.campus import Campus

ROOT = "/mod/lti/services.php/"


def kind_of(path: str) -> str:
    """The ledger's word for a service path; "service" if there is no such service."""
    match path.removeprefix(ROOT).split("/"):
        case [_, "lineitems"]:
            return "lineitems"
        case [_, "lineitems", _, "lineitem"]:
            return "lineitem"
        case [_, "lineitems", _, "lineitem", "scores"]:
            return "scores"
        case [_, "lineitems", _, "lineitem", "results"]:
            return "results"
        case ["CourseSection", _, "bindings", _, "memberships"]:
            return "members"
    return "service"


def service(campus: "Campus", call: Call, kind: str) -> Answer:
    """Answer one service request; errors are answers too."""
    parts = call.path.removeprefix(ROOT).split("/")
    try:
        if call.method == "PATCH":
            raise refuse(405, "Method Not Allowed")
        with campus.lock:
            if kind == "scores" and call.method == "POST":
                return scores.post_score(campus, call, parts[0], parts[2])
            if kind == "results" and call.method == "GET":
                return scores.results(campus, call, parts[0], parts[2])
            if kind in ("lineitems", "lineitem"):
                return ags.line_items(campus, call, parts)
            if kind == "members" and call.method == "GET":
                return nrps.members(campus, call, parts[1], parts[3])
        raise refuse(400, f"No handler found for {call.path} {call.accept}")
    except Refusal as refusal:
        return refusal.answer
