"""Settings > Data points: how many there are, how fast they grow, and the allotment. Nothing here stops an import."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import addresses, allotments
from accounts.days import day_of
from accounts.models import User
from accounts.permissions import current_workspace
from config.admin import page
from profiles import admin_points_chart
from profiles.admin_points_chart import Span
from profiles.admin_points_form import AllotmentForm

SEES, CHANGES = "accounts.view_datapointusage", "accounts.change_allotment"


@require_safe
@permission_required(SEES, raise_exception=True)
def data_points(request: HttpRequest) -> HttpResponse:
    """Show how the workspace stands, and where its data points come from."""
    allotment = allotments.of(workspace=current_workspace(request))
    return _points_page(request, form=AllotmentForm.of(allotment, today=day_of(timezone.now())))


@require_POST
@permission_required([SEES, CHANGES], raise_exception=True)
def change_allotment(request: HttpRequest) -> HttpResponse:
    """Give the workspace an allotment, another one, or none."""
    form = AllotmentForm(request.POST)
    if not form.is_valid():
        return _points_page(request, form=form, status=422)
    allotments.change(
        workspace=current_workspace(request),
        **form.cleaned_data,
        by=cast("User", request.user),
        address=addresses.of_request(request),
        now=timezone.now(),
    )
    has_one = form.cleaned_data["data_points"] is not None
    messages.success(
        request, _("The allotment is saved.") if has_one else _("There is no allotment any more.")
    )
    return redirect("admin:data_points")


@require_safe
@permission_required(SEES, raise_exception=True)
def download(request: HttpRequest) -> HttpResponse:
    """Send the days of the chosen span as CSV."""
    name, text = admin_points_chart.csv_file(
        workspace=current_workspace(request), span=_span(request), now=timezone.now()
    )
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)


def _points_page(request: HttpRequest, *, form: AllotmentForm, status: int = 200) -> HttpResponse:
    workspace, now, span = current_workspace(request), timezone.now(), _span(request)
    context: dict[str, Any] = {
        "title": _("Data points"),
        "standing": allotments.standing(workspace=workspace, now=now),
        "chart": admin_points_chart.chart(workspace=workspace, span=span, now=now),
        "span": span,
        "spans": Span,
        "form": form,
        "may_change": request.user.has_perm(CHANGES),
    }
    return page(request, "profiles/points.html", context, status=status)


def _span(request: HttpRequest) -> Span:
    """Return the span that the address names; the current period if it names none that there is."""
    chosen = request.GET.get("span", "")
    return Span(chosen) if chosen in Span.values else Span.CURRENT


# Route below data-points/, view, name: config.admin puts them into the admin's addresses.
PAGES: list[tuple[str, Callable[..., HttpResponse], str]] = [
    ("", data_points, "data_points"),
    ("allotment/", change_allotment, "data_points_allotment"),
    ("download/", download, "data_points_download"),
]
