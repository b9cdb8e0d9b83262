"""Programs, contents, collections and outlines, as elements of the API."""

from typing import Any
from urllib.parse import urlencode

from passport_lti.sandbox.coursera.state import Course, Program, Root


def program_element(program: Program, exclude_content: bool) -> dict[str, Any]:
    element: dict[str, Any] = {
        "id": program.id,
        "name": program.name,
        "tagline": program.tagline,
        "slug": program.slug,
        "url": program.url,
    }
    if not exclude_content:
        element["contentIds"] = [
            {"contentId": course.id, "contentType": "Course"} for course in program.courses
        ]
    return element


def content_element(course: Course, programs: list[Program], root: Root) -> dict[str, Any]:
    return {
        "id": f"Course~{course.id}",
        "contentId": course.id,
        "contentType": "Course",
        "name": course.name,
        "slug": course.slug,
        "description": course.description,
        "languageCode": "en",
        "subtitleLanguageCodes": ["en"],
        "difficultyLevel": "BEGINNER",
        "lastUpdatedAt": course.changed_at // 1000,
        "instructors": [],
        "partners": [{"name": course.partner, "logoUrl": ""}],
        "programs": [
            {"programId": program.id, "contentUrl": launch_url(program, course)}
            for program in programs
            if course in program.courses
        ],
        "extraMetadata": {
            "typeName": "courseMetadata",
            "definition": {
                "skills": [],
                "estimatedLearningTime": 26280,
                "promoPhoto": f"{root.url}/photos/{course.id}.png",
                "domainTypes": [],
            },
        },
    }


def launch_url(program: Program, course: Course, item_id: str = "", sso: bool = False) -> str:
    """Where a learner goes to be in this course of this program."""
    query = {"showMiniModal": "true"}
    if sso:
        query["attemptSSOLogin"] = "true"
    query |= {"productType": "course", "productId": course.id}
    if item_id:
        query["itemId"] = item_id
    return f"{program.url}?{urlencode(query)}"


def collection_element(program: Program) -> dict[str, Any]:
    """The one collection that a practice program has: everything in it."""
    return {
        "id": f"{program.id}~all00",
        "programId": program.id,
        "collectionId": "all00",
        "title": program.name,
        "description": program.tagline,
        "contents": [
            {
                "id": course.id,
                "contentType": "Course",
                "name": course.name,
                "slug": course.slug,
                "description": course.description,
                "partners": [{"name": course.partner}],
                "instructors": [],
            }
            for course in program.courses
        ],
    }


def outline(program: Program, course: Course) -> dict[str, Any]:
    """A course's modules, lessons and items, ungraded ones too, with addresses to start them."""
    return {
        "id": course.id,
        "name": course.name,
        "modules": [
            {
                "id": module.id,
                "name": module.name,
                "lessons": [
                    {
                        "id": lesson.id,
                        "name": lesson.name,
                        "items": [
                            {
                                "id": item.id,
                                "name": item.name,
                                "itemType": item.type,
                                "deeplinkUrl": launch_url(program, course, item.id, sso=True),
                            }
                            for item in lesson.items
                        ],
                    }
                    for lesson in module.lessons
                ],
            }
            for module in course.modules
        ],
    }
