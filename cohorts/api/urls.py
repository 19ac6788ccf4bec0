"""The partner endpoints, and those that read cohorts. Clients send no trailing slash; some do."""

from django.urls import path, re_path

from accounts.models import PARTNER_PATTERN
from cohorts.api.views import CohortUsersView, CohortView, WebhookView
from cohorts.api.views_read import (
    CohortContainsView,
    CohortDetailView,
    CohortListView,
    CohortMembersView,
    CohortSizeView,
)

_PARTNER = rf"^partners/(?P<partner>{PARTNER_PATTERN})"

urlpatterns = [
    route
    for slash in ("", "/")
    for route in (
        path(f"partners/mixpanel/webhook{slash}", WebhookView.as_view(), {"partner": "mixpanel"}),
        re_path(rf"{_PARTNER}/cohorts{slash}$", CohortView.as_view()),
        re_path(rf"{_PARTNER}/cohorts/users{slash}$", CohortUsersView.as_view()),
        path(f"cohorts{slash}", CohortListView.as_view()),
        path(f"cohorts/<int:cohort_id>{slash}", CohortDetailView.as_view()),
        path(f"cohorts/<int:cohort_id>/size{slash}", CohortSizeView.as_view()),
        path(f"cohorts/<int:cohort_id>/members{slash}", CohortMembersView.as_view()),
        path(f"cohorts/<int:cohort_id>/members/contains{slash}", CohortContainsView.as_view()),
    )
]
