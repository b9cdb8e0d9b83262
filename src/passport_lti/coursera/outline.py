"""The gradable items of a course outline (facts 3.13 and 3.15). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from passport_lti.coursera import rows
from passport_lti.grades import GradableItem

UNGRADED = frozenset(
    (
        "video", "lecture", "supplement", "reading", "discussionprompt", "ungradedlti",
        "ungradedwidget", "ungradedlab", "ungradedassignment", "coach", "practicequiz",
    )
)  # fmt: skip
"""Item types that never have a grade; whatever else appears is taken as gradable."""


def gradable_items(outline: Any) -> tuple[GradableItem, ...]:
    """Items in course order, from an envelope with one element or from the course itself."""
    elements = outline.get("elements") if isinstance(outline, dict) else None
    course = elements[0] if isinstance(elements, list) and elements else outline
    found: dict[str, tuple[GradableItem, float | None]] = {}
    order = 0
    for module in _inner(course, "modules"):
        for lesson in _inner(module, "lessons"):
            for item in _inner(lesson, "items"):
                order += 1
                read = _read(item, order, rows.text(module.get("name")))
                if read:
                    found.setdefault(read[0].id, read)
    return tuple(rows.with_shares(found.values()))


def _inner(part: Any, key: str) -> Iterator[Mapping[str, Any]]:
    inner = part.get(key) if isinstance(part, dict) else None
    return (
        (each for each in inner if isinstance(each, dict)) if isinstance(inner, list) else iter(())
    )


def _read(
    item: Mapping[str, Any], order: int, module: str
) -> tuple[GradableItem, float | None] | None:
    kind = rows.text(item.get("itemType")) or rows.text(item.get("type"))
    item_id = rows.text(item.get("id")) or rows.text(item.get("itemId"))
    ungraded = kind.lower().replace("_", "") in UNGRADED or item.get("isGraded") is False
    if ungraded or not rows.is_id(item_id):
        return None
    name = rows.text(item.get("name")) or item_id
    found = GradableItem(item_id, name, order=order, type=kind, module=module)
    return found, rows.number(item.get("weight", item.get("itemWeight")))
