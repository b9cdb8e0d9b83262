"""What one sync run did for each platform, for those who may see no other."""

from collections.abc import Mapping

from passport_lti.extensions import db
from passport_lti.models import SyncRun, SyncShare
from passport_lti.sync.delivery.outcomes import Outcomes
from passport_lti.sync.poll.courses import Polled


def note(run: SyncRun, polled: Polled, sent: Mapping[int, Outcomes]) -> None:
    """Add a share for every platform that the run had to do with. Flushes only."""
    for platform_id in {**polled.shares, **sent}:
        read, delivered = polled.share(platform_id), sent.get(platform_id, Outcomes())
        db.session.add(
            SyncShare(
                run=run,
                platform_id=platform_id,
                courses=read.courses,
                changed=read.changed,
                sent=delivered.sent,
                failed=sum(delivered.reasons.values()),
                problem=read.problems[0][:255] if read.problems else None,
            )
        )
