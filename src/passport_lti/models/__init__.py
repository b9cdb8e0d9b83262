"""What we remember, one concept per file."""

from passport_lti.models.activity import Activity
from passport_lti.models.catalogue import CourseItem, CourseraScale, Program, ProgramCourse
from passport_lti.models.context import Context, ResourceLink
from passport_lti.models.erased import Erased
from passport_lti.models.failure import PollFailure
from passport_lti.models.gradebook import Cell, LineItem
from passport_lti.models.history import CellChange
from passport_lti.models.invitation import Invitation
from passport_lti.models.keys import AccessToken, SigningKey
from passport_lti.models.lease import Lease
from passport_lti.models.log import TAUGHT_LAUNCHES, LaunchLog, SyncRun, SyncShare
from passport_lti.models.member import Member, Membership
from passport_lti.models.people import Match, UnmatchedLearner
from passport_lti.models.platform import Deployment, Platform
from passport_lti.models.provision import Provision
from passport_lti.models.saml import SamlKey, SamlRequest

__all__ = [
    "TAUGHT_LAUNCHES",
    "AccessToken",
    "Activity",
    "Cell",
    "CellChange",
    "Context",
    "CourseItem",
    "CourseraScale",
    "Deployment",
    "Erased",
    "Invitation",
    "LaunchLog",
    "Lease",
    "LineItem",
    "Match",
    "Member",
    "Membership",
    "Platform",
    "PollFailure",
    "Program",
    "ProgramCourse",
    "Provision",
    "ResourceLink",
    "SamlKey",
    "SamlRequest",
    "SigningKey",
    "SyncRun",
    "SyncShare",
    "UnmatchedLearner",
]
