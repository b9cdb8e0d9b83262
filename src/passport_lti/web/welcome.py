"""The page before a learner's first visit to Coursera, shown once for each member of a platform.

It is never put in the way of a launch that can go straight on, unless the platform's setting
`sso.explain` wants it: docs/decisions/0013-the-first-time.md.
"""

from passport_lti.extensions import db
from passport_lti.models import LaunchLog, Member
from passport_lti.sync.familiar import Accepted
from passport_lti.web.pages import services
from passport_lti.web.sessions import PageSession


def is_first(launch: Accepted | LaunchLog) -> bool:
    """Whether the person of a launch has not been explained yet what comes."""
    member = db.session.get(Member, launch.member_fk) if launch.member_fk else None
    return launch.role == "learner" and member is not None and member.introduced_at is None


def note_seen(session: PageSession) -> None:
    """The person has read the page and goes on; commits."""
    if is_first(session.launch):
        member = db.session.get_one(Member, session.launch.member_fk)
        member.introduced_at = services().clock()
        db.session.commit()
