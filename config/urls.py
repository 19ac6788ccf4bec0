"""Where everything answers: the admin, the partner endpoints, health."""

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views import defaults
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from config import health

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("openapi.yaml", SpectacularAPIView.as_view(), name="schema"),
    path("", include("cohorts.api.urls")),
]
if settings.ENDPOINT_PREFIX:
    urlpatterns.append(path(f"{settings.ENDPOINT_PREFIX}/", include("cohorts.api.urls")))


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith(("/admin", "/i18n"))


def _problem(status: int, title: str) -> JsonResponse:
    body = {"title": title, "status": status}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request Django refused: never HTML to an API client."""
    return defaults.bad_request(request, exception) if _is_page(request) else _problem(400, "Bad request.")


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address that does not exist."""
    nothing = "There is nothing at this address."
    return defaults.page_not_found(request, exception) if _is_page(request) else _problem(404, nothing)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer for a fault of ours."""
    failed = "Rollcall failed to process this. Its operator finds the details in the log."
    return defaults.server_error(request) if _is_page(request) else _problem(500, failed)
