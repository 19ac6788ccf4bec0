"""Where everything answers: the admin, the partner endpoints, the REST API, health."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from accounts import language
from config import health, metrics
from config.admin import refusal

API: list[URLPattern | URLResolver] = [
    path("", include("cohorts.api.urls")),
    path("", include("profiles.api.urls")),
    path("", include("segments.api.urls")),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/setlang/", language.set_language, name="set_language"),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("metrics", metrics.metrics),
    path("openapi.yaml", SpectacularAPIView.as_view(), name="schema"),
    path("", include(API)),
]
if settings.ENDPOINT_PREFIX:
    urlpatterns.append(path(f"{settings.ENDPOINT_PREFIX}/", include(API)))


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith(("/admin", "/i18n"))


def _problem(status: int, title: str) -> JsonResponse:
    body = {"title": title, "status": status}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request Django refused: never HTML to an API client."""
    return defaults.bad_request(request, exception) if _is_page(request) else _problem(400, "Bad request.")


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer staff who may not open a page. What the exception says was written for them."""
    reason = str(exception) or _("Your role does not include this page.")
    return refusal(request, status=403, title=_("You cannot open this page"), reason=reason)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that does not exist."""
    del exception  # it holds the path, or a query
    if not _is_page(request):
        return _problem(404, "There is nothing at this address.")
    reason = _("It was removed, it belongs to another workspace, or it never was.")
    return refusal(request, status=404, title=_("There is nothing at this address"), reason=reason)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours."""
    failed = "Rollcall failed to process this. Its operator finds the details in the log."
    return defaults.server_error(request) if _is_page(request) else _problem(500, failed)
