"""The endpoints that read segments. Clients send no trailing slash; some do."""

from django.urls import URLPattern, path

from segments.api.views import (
    SegmentContainsView,
    SegmentDetailView,
    SegmentListView,
    SegmentMembersView,
    SegmentSizeView,
)

urlpatterns: list[URLPattern] = [
    route
    for slash in ("", "/")
    for route in (
        path(f"segments{slash}", SegmentListView.as_view()),
        path(f"segments/<int:segment_id>{slash}", SegmentDetailView.as_view()),
        path(f"segments/<int:segment_id>/size{slash}", SegmentSizeView.as_view()),
        path(f"segments/<int:segment_id>/members{slash}", SegmentMembersView.as_view()),
        path(f"segments/<int:segment_id>/members/contains{slash}", SegmentContainsView.as_view()),
    )
]
