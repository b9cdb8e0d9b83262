"""Columns of ours: made once, whatever answers are lost, and renamed unless a teacher did."""

from collections.abc import Callable

from passport_lti.errors import RetryLater
from passport_lti.extensions import db
from passport_lti.grades import Column, Owner
from passport_lti.lti import ags
from passport_lti.lti.ags import RemoteLineItem
from passport_lti.lti.service import PlatformService
from passport_lti.models import Context, LineItem
from passport_lti.sync import leases
from passport_lti.sync.services import Services


def make(
    services: Services, context: Context, column: Column, check: Callable[[], None]
) -> LineItem:
    """Make one column of ours. After a lost answer it is looked for before anything else.

    `check` raises where another process may be making it, or may have found ours, by now.
    """
    service = services.platform(context.deployment.platform)
    url = context.line_items_url or ""
    db.session.commit()
    if services.ending.is_set():
        raise leases.Lost("this process is to end")
    check()
    is_ours = True
    try:
        made = _create(service, url, column)
    except RetryLater as error:
        if error.after is not None:
            raise
        services.sleep(0.5)
        found = _standing(service, url, column)
        is_ours = not found
        made = found[0] if found else _create(service, url, column)
    try:
        check()
    except leases.Lost:
        # Asleep between the check and the call, it made a column after another process had.
        twins = [item for item in _standing(service, url, column) if item.url != made.url]
        if is_ours and twins:
            ags.delete(service, made.url)
        raise
    line_item = LineItem(
        context_fk=context.id,
        url=made.url,
        resource_id=column.resource_id,
        owner=Owner.TOOL.value,
        label=column.label,
        maximum=column.maximum,
        wanted_maximum=column.maximum,
        tag=column.tag,
        made=is_ours,
        created_at=services.clock(),
    )
    db.session.add(line_item)
    db.session.commit()
    return line_item


def _standing(service: PlatformService, url: str, column: Column) -> list[RemoteLineItem]:
    """The platform's uncoupled columns of this resource id."""
    return [
        item
        for item in ags.line_items(service, url)
        if item.resource_id == column.resource_id and not item.resource_link_id
    ]


def _create(service: PlatformService, url: str, column: Column) -> RemoteLineItem:
    return ags.create(
        service,
        url,
        label=column.label,
        maximum=column.maximum,
        resource_id=column.resource_id,
        tag=column.tag,
    )


def reshape(
    services: Services, line_item: LineItem, remote: RemoteLineItem, column: Column
) -> None:
    """Follow a new name or weight, unless a teacher gave the column another one meanwhile.

    Must be called without an open write: the call takes its time.
    """
    adopted = line_item.label == ""
    kept_name = adopted or remote.label != line_item.label
    kept_size = adopted or abs(remote.maximum - line_item.maximum) > 1e-6
    label = remote.label if kept_name else column.label
    maximum = remote.maximum if kept_size else column.maximum
    if (label, maximum) != (remote.label, remote.maximum):
        service = services.platform(line_item.context.deployment.platform)
        db.session.commit()
        ags.update(service, remote, label=label, maximum=maximum)
    line_item.label, line_item.wanted_maximum = column.label, column.maximum
    line_item.maximum = maximum
