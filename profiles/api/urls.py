"""The REST API of users. Clients send no trailing slash; some do."""

from django.urls import URLPattern, path

from profiles.api.views import TrackView
from profiles.api.views_events import ImportView
from profiles.api.views_identity import (
    DeleteView,
    ExportView,
    IdentifyView,
    MergeView,
    NewAliasView,
    RenameView,
    UpdateAliasView,
)

urlpatterns: list[URLPattern] = [
    route
    for slash in ("", "/")
    for route in (
        path(f"users/track{slash}", TrackView.as_view()),
        path(f"users/alias/new{slash}", NewAliasView.as_view()),
        path(f"users/alias/update{slash}", UpdateAliasView.as_view()),
        path(f"users/identify{slash}", IdentifyView.as_view()),
        path(f"users/merge{slash}", MergeView.as_view()),
        path(f"users/delete{slash}", DeleteView.as_view()),
        path(f"users/export/ids{slash}", ExportView.as_view()),
        path(f"users/external_ids/rename{slash}", RenameView.as_view()),
        path(f"import{slash}", ImportView.as_view()),
    )
]
