"""Columns that stand already: remembered by resource id, and bound to their activities."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.grades import Course, Owner
from passport_lti.lti.ags import RemoteLineItem
from passport_lti.models import Activity, Context, LineItem, ResourceLink
from passport_lti.strategies import STRATEGIES
from passport_lti.sync import outbox
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

PREFIX = "coursera:"
GIVE_UP = timedelta(days=7)
"""A published activity that the platform has not shown by then was never made."""


def adopt(services: Services, context: Context, remote: Sequence[RemoteLineItem]) -> None:
    """Remember the platform's columns that are about Coursera; of equal ones of ours the first."""
    stored = {
        row.url: row
        for row in db.session.scalars(select(LineItem).where(LineItem.context_fk == context.id))
    }
    ours = {r.resource_id for r in stored.values() if r.owner == "tool" and r.state != "gone"}
    links = set(
        db.session.scalars(
            select(ResourceLink.line_item_url).where(ResourceLink.context_fk == context.id)
        )
    )
    for item in remote:
        row = stored.get(item.url)
        if row is not None:
            if row.owner == Owner.PLATFORM:
                row.maximum, row.label = item.maximum, item.label[:255]
            row.resource_link_id = item.resource_link_id or row.resource_link_id
            continue
        if not item.resource_id.startswith(PREFIX) and item.url not in links:
            continue
        owner = Owner.PLATFORM if item.resource_link_id else Owner.TOOL
        if owner is Owner.TOOL and item.resource_id in ours:
            log.warning("context %s: column %s stands twice", context.id, item.resource_id)
            continue
        ours.add(item.resource_id)
        db.session.add(
            LineItem(
                context_fk=context.id,
                url=item.url,
                resource_id=item.resource_id[:255],
                resource_link_id=item.resource_link_id or None,
                owner=owner.value,
                label=item.label[:255] if owner is Owner.PLATFORM else "",
                maximum=item.maximum,
                wanted_maximum=item.maximum,
                tag=item.tag[:255],
                created_at=services.clock(),
            )
        )
    present = {item.url for item in remote}
    for url, row in stored.items():
        if url not in present and row.state != "gone":
            row.state = "gone"
            outbox.hold_column(row.id, services.clock())
    context.line_items_read_at = services.clock()
    db.session.commit()


def bind(
    services: Services, context: Context, activities: Sequence[Activity], course: Course
) -> None:
    """Tell by the platform's columns which published activities it has made."""
    bound = set(
        db.session.scalars(
            select(ResourceLink.resource_link_id)
            .join(Activity, Activity.resource_link_fk == ResourceLink.id)
            .where(ResourceLink.context_fk == context.id)
        )
    )
    free = [
        row
        for row in db.session.scalars(
            select(LineItem)
            .where(
                LineItem.context_fk == context.id,
                LineItem.owner == "platform",
                LineItem.state != "gone",
            )
            .order_by(LineItem.id)
        )
        if row.resource_link_id not in bound
    ]
    for activity in activities:
        if activity.resource_link_fk is not None:
            continue
        columns = STRATEGIES[activity.strategy].columns(course, activity.choice)
        coupled = {c.resource_id for c in columns if c.owner is Owner.PLATFORM}
        match = next(
            (r for r in free if r.resource_id in coupled and r.tag in ("", activity.strategy)), None
        )
        if match is None or match.resource_link_id is None:
            if services.clock() - activity.created_at > GIVE_UP and activity.state == "published":
                activity.state = "retired"
            continue
        free.remove(match)
        link = db.session.scalar(
            select(ResourceLink).where(
                ResourceLink.context_fk == context.id,
                ResourceLink.resource_link_id == match.resource_link_id,
            )
        )
        if link is None:
            link = ResourceLink(
                context_fk=context.id,
                resource_link_id=match.resource_link_id,
                title=match.label,
                line_item_url=match.url,
            )
            db.session.add(link)
            db.session.flush()
        activity.resource_link = link
        activity.state = "standing"
    db.session.commit()
