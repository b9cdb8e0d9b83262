"""The library's routes, and the two that stand in for a course page and a gradebook."""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.urls import include, path
from lti_consumer.api import get_lti_1p3_launch_start_url
from lti_consumer.data import Lti1p3LaunchData
from lti_consumer.models import LtiAgsLineItem, LtiAgsScore, LtiDlContentItem


def start(request: HttpRequest) -> HttpResponseRedirect:
    """Somebody opens the block: the library says where the tool's login is.

    Query: `config`, `user`, `role` (Open edX's names; empty for none), `link`, and `linking` or
    `content` (number of a stored content item) for the other kinds of launch.
    """
    asked = request.GET
    data = Lti1p3LaunchData(
        user_id=asked["user"],
        user_role=asked["role"] or None,
        config_id=asked["config"],
        resource_link_id=asked["link"],
        name=f"{asked['user'].title()} Person",
        email=asked.get("email"),
        launch_presentation_document_target="window",
        context_id="course-v1:Campus+DATA101+2026",
        context_type=["course_offering"],
        context_title="Data Literacy",
        context_label="DATA101",
    )
    return HttpResponseRedirect(
        get_lti_1p3_launch_start_url(data, "linking" in asked, asked.get("content"))
    )


def stored(request: HttpRequest) -> JsonResponse:
    """What the library has accepted of the tool so far."""

    def rows(model: Any) -> list[dict[str, Any]]:
        return list(model.objects.order_by("pk").values())

    return JsonResponse(
        {
            "line_items": [
                {k: row[k] for k in ("id", "label", "resource_id", "tag", "score_maximum")}
                for row in rows(LtiAgsLineItem)
            ],
            "scores": rows(LtiAgsScore),
            "content": rows(LtiDlContentItem),
        }
    )


urlpatterns = [
    path("start", start),
    path("stored", stored),
    path("api/", include("lti_consumer.plugin.urls", namespace="lti_consumer")),
]
