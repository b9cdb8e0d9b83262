"""Columns that stand already: remembered by resource id, and bound to their activities."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from passport_lti.extensions import db
from passport_lti.grades import Course, Owner
from passport_lti.lti.ags import RemoteLineItem
from passport_lti.models import Activity, Context, LineItem, ResourceLink
from passport_lti.sync import holds
from passport_lti.sync.columns.wishes import made_for, unbound
from passport_lti.sync.services import Services

log = logging.getLogger(__name__)

PREFIX = "coursera:"
GIVE_UP = timedelta(days=7)
"""A published activity that the platform has not shown by then was never made."""


def adopt(services: Services, context: Context, remote: Sequence[RemoteLineItem]) -> None:
    """Remember the platform's columns that are about Coursera, and what became of known ones.

    Of several of ours for the same thing one stands; the others are remembered as doubles.
    Commits.
    """
    rows = db.session.scalars(select(LineItem).where(LineItem.context_fk == context.id)).all()
    stored = {row.url: row for row in rows}
    present = {item.url for item in remote}
    for row in rows:
        if row.url not in present and row.state != "gone":
            row.state = "gone"
            holds.hold_column(row.id, services.clock())
    db.session.flush()
    ours = {r.resource_id: r for r in rows if r.owner == "tool" and r.state in ("active", "idle")}
    addresses, links = _links(context)
    for item in remote:
        known = stored.get(item.url)
        if known is None:
            if not (
                item.resource_id.startswith(PREFIX)
                or item.url in addresses
                or item.resource_link_id in links
            ):
                continue
            known = _remembered(services, context, item)
            _replace(known, services.clock())
        elif known.owner == Owner.PLATFORM:
            known.maximum, known.label = item.maximum, item.label[:255]
        known.resource_link_id = item.resource_link_id or known.resource_link_id
        if known.owner == Owner.PLATFORM and known.state == "gone":
            _stand(services, known)
        elif known.owner == Owner.TOOL and known.state in ("gone", "double"):
            known.resource_id = item.resource_id[:255]
            if ours.setdefault(known.resource_id, known) is known:
                _stand(services, known)
            else:
                known.state = "double"
                log.warning("context %s: column %s stands twice", context.id, item.resource_id)
        db.session.flush()
    context.line_items_read_at = services.clock()
    db.session.commit()


def _links(context: Context) -> tuple[set[str | None], set[str]]:
    """The columns' addresses and the ids of the resource links that launches have shown."""
    found = db.session.scalars(
        select(ResourceLink).where(ResourceLink.context_fk == context.id)
    ).all()
    return {link.line_item_url for link in found}, {link.resource_link_id for link in found}


def _remembered(services: Services, context: Context, item: RemoteLineItem) -> LineItem:
    """A new row for a column that we did not make; one of ours is a double until it may stand."""
    owner = Owner.PLATFORM if item.resource_link_id else Owner.TOOL
    row = LineItem(
        context_fk=context.id,
        url=item.url,
        resource_id=item.resource_id[:255],
        resource_link_id=item.resource_link_id or None,
        owner=owner.value,
        label=item.label[:255] if owner is Owner.PLATFORM else "",
        maximum=item.maximum,
        wanted_maximum=item.maximum,
        tag=item.tag[:255],
        state="active" if owner is Owner.PLATFORM else "double",
        created_at=services.clock(),
    )
    db.session.add(row)
    return row


def _replace(column: LineItem, now: datetime) -> None:
    """An activity's new column takes the place of those that it had and that are gone."""
    if column.owner == Owner.PLATFORM:
        lost = select(LineItem).where(
            LineItem.context_fk == column.context_fk,
            LineItem.owner == "platform",
            LineItem.state == "gone",
            LineItem.resource_link_id == column.resource_link_id,
        )
        for other in db.session.scalars(lost):
            holds.forget_column(other, now)


def _stand(services: Services, row: LineItem) -> None:
    """Fill this column from now on: one that is back, or takes the place of a lost one."""
    if row.owner == Owner.TOOL:
        lost = db.session.scalars(
            select(LineItem).where(
                LineItem.context_fk == row.context_fk,
                LineItem.owner == "tool",
                LineItem.state == "gone",
                LineItem.resource_id == row.resource_id,
                LineItem.id != (row.id or 0),
            )
        )
        for other in lost:
            holds.forget_column(other, services.clock())
    row.state = "active"
    if row.id is not None:
        holds.release_column(row.id, services.clock())


def bind(
    services: Services, context: Context, activities: Sequence[Activity], course: Course
) -> None:
    """Tell by the platform's columns which published activities it has made; commits."""
    free = unbound(context)
    for activity in activities:
        if activity.resource_link_fk is not None:
            continue
        match = made_for(activity, course, free)
        if match is None:
            if services.clock() - activity.created_at > GIVE_UP and activity.state == "published":
                activity.state = "retired"
            continue
        free.remove(match)
        activity.resource_link = link_of(context, match)
        activity.state = "standing"
    db.session.commit()


def link_of(context: Context, column: RemoteLineItem | LineItem) -> ResourceLink:
    """The activity in the platform that a coupled column belongs to, made where it is new."""
    link = db.session.scalar(
        select(ResourceLink).where(
            ResourceLink.context_fk == context.id,
            ResourceLink.resource_link_id == column.resource_link_id,
        )
    )
    if link is None:
        link = ResourceLink(
            context_fk=context.id,
            resource_link_id=column.resource_link_id or "",
            title=column.label,
            line_item_url=column.url,
        )
        db.session.add(link)
    return link
