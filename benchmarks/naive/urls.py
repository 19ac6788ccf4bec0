"""The naive endpoints under the real ones' addresses."""

from django.urls import path

from benchmarks.naive.views import NaivePartner, NaiveWebhook
from config import health

urlpatterns = [
    path("partners/mixpanel/webhook", NaiveWebhook.as_view()),
    path("partners/<slug:partner>/cohorts/users", NaivePartner.as_view()),
    path("livez", health.livez),
]
