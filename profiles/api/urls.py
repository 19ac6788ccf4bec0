"""The REST API of users. Clients send no trailing slash; some do."""

from django.urls import URLPattern, path

from profiles.api.views import TrackView
from profiles.api.views_events import ImportView

urlpatterns: list[URLPattern] = [
    route
    for slash in ("", "/")
    for route in (
        path(f"users/track{slash}", TrackView.as_view()),
        path(f"import{slash}", ImportView.as_view()),
    )
]
