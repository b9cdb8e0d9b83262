"""The people page of an activity: who is who, and an instructor's word on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from passport_lti.models import Activity, Member
from passport_lti.sync.people import choices, privacy
from passport_lti.sync.reasons import SEATS
from passport_lti.sync.seats import report
from passport_lti.web import background, sessions, wording
from passport_lti.web.instructor import activity_of
from passport_lti.web.pages import services
from passport_lti.web.sessions import Kind, PageSession
from passport_lti.web.who import Account, Who

PAGE = 25
"""People in one list of one page."""

blueprint = Blueprint("people", __name__, url_prefix="/activities/<int:activity_id>/people")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one side; `holder` is the participant who has the account now."""

    title: str
    detail: str
    search: str
    holder: Member | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An account and a participant who may belong together, shown as the side to be chosen.

    `own` is the account that the participant has now.
    """

    account: Account
    member: Member
    title: str
    detail: str
    likely: bool
    own: Account | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a list; `name` is the parameter that turns its pages."""

    name: str
    rows: Sequence[Any]
    total: int
    page: int
    pages: int


@blueprint.get("")
def people(activity_id: int) -> str:
    session, activity, who = _loaded(activity_id)
    accounts = _part("accounts", who.left_over)
    members = _part("members", who.participants)
    return render_template(
        "instructor/people.html",
        session=session.value,
        activity=activity,
        who=who,
        accounts=accounts,
        members=members,
        found=_part("found", who.found),
        whose=who.for_accounts(accounts.rows),
        which=who.for_members(members.rows),
        hidden=privacy.hidden(activity.context),
        troubles=_part("seats", report.troubles(activity)),
        provided=report.provided(activity),
        why=lambda reason: _(SEATS.get(reason, SEATS["waiting"])),
        explain=wording.explain,
        note=request.args.get("note", ""),
    )


@blueprint.route("/accounts/<account_id>", methods=["GET", "POST"])
def account(activity_id: int, account_id: str) -> str:
    """Choose the participant whose account this is."""
    session, activity, who = _loaded(activity_id)
    chosen = who.accounts.get(account_id) or abort(404)
    likely = [hint.member for hint in who.for_accounts([chosen]).get(chosen.id, [])]
    others = sorted(who.members.values(), key=lambda m: m.id in who.account_of)
    options = [
        Option(chosen, member, titled(member), _beside(titled(member), member.email),
               member in likely, who.account_of.get(member.id))
        for member in [*likely, *(m for m in others if m not in likely)]
        if member.id != chosen.member
    ]  # fmt: skip
    return _choice(session, activity, Question(
        _("Who is %(account)s?", account=chosen.title),
        _beside(chosen.title, chosen.external_id),
        _("Name or e-mail address"),
        who.members.get(chosen.member or 0),
    ), options)  # fmt: skip


@blueprint.route("/participants/<int:member_id>", methods=["GET", "POST"])
def participant(activity_id: int, member_id: int) -> str:
    """Choose the Coursera account of this participant."""
    session, activity, who = _loaded(activity_id)
    member = who.members.get(member_id) or abort(404)
    likely = [hint.account for hint in who.for_members([member]).get(member.id, [])]
    options = [
        Option(row, member, row.title, _beside(row.title, row.external_id), row in likely)
        for row in [*likely, *(a for a in who.left_over if a not in likely)]
    ]
    return _choice(session, activity, Question(
        _("Which account is %(name)s's?", name=titled(member)),
        _beside(titled(member), member.email),
        _("Name, external ID or e-mail address"),
    ), options)  # fmt: skip


@blueprint.post("/confirm")
def confirm(activity_id: int) -> Response:
    session, activity, who = _loaded(activity_id)
    member = who.members.get(request.form.get("member", 0, type=int)) or abort(404)
    account = who.accounts.get(request.form.get("account", ""))
    if account is None:
        return _back(session, activity, "changed")
    try:
        choices.confirm(activity.context, member, account.external_id, services().clock())
    except choices.RowTaken:
        return _back(session, activity, "taken")
    background.follow(activity.id)
    return _back(session, activity, "confirmed")


@blueprint.post("/undo")
def undo(activity_id: int) -> Response:
    session, activity, who = _loaded(activity_id)
    member = who.members.get(request.form.get("member", 0, type=int)) or abort(404)
    choices.undo(activity.context, member, services().clock())
    background.follow(activity.id)
    return _back(session, activity, "undone")


def _loaded(activity_id: int) -> tuple[PageSession, Activity, Who]:
    session = sessions.load(Kind.INSTRUCTOR)
    activity = activity_of(session, activity_id)
    return session, activity, Who(activity)


def _back(session: PageSession, activity: Activity, note: str) -> Response:
    return redirect(
        url_for(".people", activity_id=activity.id, session=session.value, note=note), 303
    )


def _part(name: str, rows: Sequence[Any]) -> Part:
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(request.values.get(name, 1, type=int), 1), pages)
    return Part(name, rows[(page - 1) * PAGE : page * PAGE], len(rows), page, pages)


def _choice(
    session: PageSession, activity: Activity, question: Question, options: Sequence[Option]
) -> str:
    """The page for a question; a search is posted, so no log has the name."""
    sought = request.form.get("q", "").strip()
    found = [o for o in options if sought.casefold() in f"{o.title}\n{o.detail}".casefold()]
    return render_template(
        "instructor/choose.html",
        session=session.value, activity=activity, question=question, q=sought,
        options=_part("options", found), action=request.path,
    )  # fmt: skip


def titled(member: Member) -> str:
    """What a participant is called where their name may be hidden."""
    return member.name or member.email or _("Participant %(sub)s", sub=member.sub)


def _beside(title: str, detail: str) -> str:
    return "" if detail == title else detail
