"""Audience > Cohorts, one cohort or sync: deleted, restored, followed while it comes in, its unmatched downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import addresses, partners
from accounts.permissions import current_workspace
from cohorts import admin_live, admin_syncs, ignoring, uses
from cohorts.admin_list import visible
from cohorts.ignoring import CohortInUseError
from cohorts.models import Cohort, CohortSync
from config.admin import page
from profiles import admin_uses, csv_cells

SEES, SEES_SYNCS = "cohorts.view_cohort", "cohorts.view_cohortsync"
DELETES = (SEES, "cohorts.delete_cohort")
CONFLICT = 409


def cohort_of(request: HttpRequest, cohort_id: int) -> Cohort:
    """Return a cohort of the current workspace. Raises Http404."""
    known = Cohort.objects.for_workspace(current_workspace(request)).without_members()
    return get_object_or_404(known, pk=cohort_id)


def sync_of(request: HttpRequest, sync_id: int) -> CohortSync:
    """Return a sync of one of the current workspace's cohorts. Raises Http404."""
    known = CohortSync.objects.for_workspace(current_workspace(request))
    return get_object_or_404(known, pk=sync_id)


# --- delete and restore --------------------------------------------------------------------------------------
@permission_required(DELETES, raise_exception=True)
def delete(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Ask first, then delete a cohort, unless something uses it."""
    cohort = cohort_of(request, cohort_id)
    if cohort.ignored_at is not None:
        return redirect(_page_of(cohort))
    if request.method != "POST":
        return _ask(request, cohort, uses.of(cohort=cohort), status=200)
    try:
        ignoring.ignore(cohort=cohort, **_by(request))
    except CohortInUseError as error:
        return _ask(request, cohort, list(error.users), status=CONFLICT)
    messages.success(request, _("“{name}” is deleted. Its syncs are refused now.").format(name=cohort.name))
    return redirect("admin:cohorts_cohort_changelist")


def _ask(request: HttpRequest, cohort: Cohort, users: list[Any], *, status: int) -> HttpResponse:
    shown = visible(request, users)
    trail = [(_("Cohorts"), reverse("admin:cohorts_cohort_changelist")), (cohort.name, _page_of(cohort))]
    context = {
        "title": _("Delete cohort"),
        "trail": trail,
        "cohort": cohort,
        "partner": partners.named(cohort.partner).name,
        "is_refused": bool(users),
        "users": admin_uses.links(shown),
        "hidden": len(users) - len(shown),
        "unfinished": cohort.syncs.filter(status=CohortSync.Status.RUNNING).count(),
        "back": _page_of(cohort),
    }
    return page(request, "cohorts/cohort_delete.html", context, status=status)


@require_POST
@permission_required(DELETES, raise_exception=True)
def restore(request: HttpRequest, cohort_id: int) -> HttpResponse:
    """Take a deleted cohort back: nothing is lost by that, so nothing is asked."""
    cohort = cohort_of(request, cohort_id)
    ignoring.restore(cohort=cohort, **_by(request))
    messages.success(request, _("“{name}” is back, and its syncs are taken again.").format(name=cohort.name))
    return redirect(_page_of(cohort))


def _by(request: HttpRequest) -> dict[str, Any]:
    """Return who does something, from where, and when."""
    return {"by": request.user, "address": addresses.of_request(request), "now": timezone.now()}


def _page_of(cohort: Cohort) -> str:
    return reverse("admin:cohorts_cohort_change", args=[cohort.pk])


# --- what goes on --------------------------------------------------------------------------------------------
@never_cache
@require_safe
@permission_required(SEES, raise_exception=True)
def cohort_progress(request: HttpRequest, cohort_id: int) -> JsonResponse:
    """Return the syncs of a cohort while pages come in."""
    cohort = cohort_of(request, cohort_id)
    may_open = request.user.has_perm(SEES_SYNCS)
    return admin_live.of_cohort(cohort, may_open=may_open, now=timezone.now())


@never_cache
@require_safe
@permission_required(SEES_SYNCS, raise_exception=True)
def sync_progress(request: HttpRequest, sync_id: int) -> JsonResponse:
    """Return what changes on the page of a sync while pages come in."""
    return admin_live.of_sync(sync_of(request, sync_id), now=timezone.now())


@never_cache
@require_safe
@permission_required(SEES_SYNCS, raise_exception=True)
def unmatched(request: HttpRequest, sync_id: int) -> HttpResponse:
    """Hand out the sample of a sync's unmatched members as CSV. Raises Http404 once it has expired."""
    sync = sync_of(request, sync_id)
    if not sync.unmatched_sample:
        raise Http404
    head = csv_cells.line(["identifier", "reason", "explanation"])
    body = [
        csv_cells.line([row["identifier"], row["reason"], str(member.reason)])
        for row, member in zip(sync.unmatched_sample, admin_syncs.sample(sync.unmatched_sample), strict=True)
    ]
    headers = {
        "Content-Disposition": f'attachment; filename="sync-{sync.pk}-unmatched.csv"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse([head, *body], content_type="text/csv; charset=utf-8", headers=headers)


# --- addresses -----------------------------------------------------------------------------------------------
_OF_COHORT: list[tuple[str, Callable[..., HttpResponse]]] = [
    ("delete", delete),
    ("restore", restore),
    ("progress", cohort_progress),
]
_OF_SYNC: list[tuple[str, Callable[..., HttpResponse]]] = [
    ("progress", sync_progress),
    ("unmatched", unmatched),
]


def cohort_addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """Return the addresses below a cohort's page; `wrap` makes a view one of the admin."""
    return [
        path(f"<int:cohort_id>/{name}/", wrap(view), name=f"cohorts_cohort_{name}")
        for name, view in _OF_COHORT
    ]


def sync_addresses(wrap: Callable[..., Any]) -> list[URLPattern]:
    """Return the addresses below a sync's page."""
    return [
        path(f"<int:sync_id>/{name}/", wrap(view), name=f"cohorts_cohortsync_{name}")
        for name, view in _OF_SYNC
    ]
