"""Who a launch is about, in the words of an assertion."""

from passport_lti.errors import SignOnRefused
from passport_lti.models import LaunchLog, Member
from passport_lti.sso.responses import Subject, is_name_id


def subject(member: Member | None, launch: LaunchLog) -> Subject:
    """The learner of a launch. Raises SignOnRefused `external_id` where Coursera's id is hidden."""
    name_id = member.coursera_id if member else ""
    if member is None or not is_name_id(name_id):
        raise SignOnRefused("external_id", "the platform does not say who this is", 403)
    first, last = member.given_name, member.family_name
    if not (first or last):
        first, _, last = member.name.strip().partition(" ")
    session = f"_{launch.correlation_id or launch.id}"
    return Subject(name_id, member.email, first, last, launch.at, session)
