"""What needs attention in a workspace, the most pressing first, each with the page where it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from django.db.models import Exists, Max, OuterRef, Q, Sum
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import calls, heartbeat, partners
from accounts.allotments import Standing
from accounts.models import User, Workspace
from accounts.partners import Partner
from cohorts import freshness_words
from cohorts.freshness import State
from cohorts.latest_syncs import Overview
from cohorts.models import CohortSync
from profiles import numbers
from profiles.templatetags.moments import ago

CALLS, SYNCS = "accounts.view_rejectedcall", "cohorts.view_cohortsync"
# A partner sends the pages of a sync one after the other: one that is quiet for this long has stopped.
QUIET = timedelta(hours=1)
STAYS_FOR = timedelta(days=7)
UNFINISHED_SHOWN = 5
CALLS_OF = timedelta(hours=24)
START = "manage.py qcluster"
PARTNERS_SHOWN = 5
# By whether the sync replaces all members.
_UNFINISHED = {
    True: gettext_lazy(
        "{seen} of {total} pages came, the last {time}. The cohort keeps its members until a sync is complete."
    ),
    False: gettext_lazy("{seen} of {total} pages came, the last {time}. What they changed is in the cohort."),
}


class Item(NamedTuple):
    """Something that needs attention: what it is, more about it, and the page where it is mended, if there is one."""

    is_bad: bool
    title: str
    note: str
    url: str = ""
    action: str | Promise = ""


def items(
    *,
    workspace: Workspace,
    beat_at: datetime | None,
    freshness: Overview | None,
    standing: Standing | None,
    reader: User,
    now: datetime,
) -> list[Item]:
    """Return what needs the reader's attention and is theirs to see; five queries at most.

    `beat_at` is the worker's last sign of life; `freshness` and `standing` are those of the workspace, None for who may not see them.
    """
    found: list[Item] = []
    if reader.has_perm(CALLS):
        found += [*_worker(workspace, beat_at, now), *_rejected(workspace, reader, now)]
    if freshness:
        found += _stale(freshness)
    if reader.has_perm(SYNCS):
        found += _unfinished(workspace, now)
    if standing and standing.needs_attention:
        found.append(_allotment(standing))
    return sorted(found, key=lambda item: not item.is_bad)


def _worker(workspace: Workspace, beat_at: datetime | None, now: datetime) -> Iterator[Item]:
    # One that was just set up gets its first sign of life within a minute.
    if (beat_at or workspace.created_at) < now - heartbeat.LATE_AFTER:
        waits = _("Imports of files, exports, mails and nightly work wait for it.")
        last = format_html(_("Last sign of life: {time}."), time=ago(beat_at)) if beat_at else ""
        start = format_html(_("Start it with {command}."), command=format_html("<code>{}</code>", START))
        note = format_html("{} {} {}", waits, last, start)
        yield Item(is_bad=True, title=_("The worker is not running"), note=note)


def _rejected(workspace: Workspace, reader: User, now: datetime) -> Iterator[Item]:
    """Yield what was refused in a day, even if the partner has another key that works; and whoever fails for longer."""
    known = {it.partner.slug: it for it in partners.connections(workspace=workspace)}
    recent = calls.visible(workspace=workspace, reader=reader).filter(last_at__gte=now - CALLS_OF)
    in_earnest = Max("last_at", filter=~Q(status=partners.THROTTLED))
    rows = recent.values("partner").annotate(calls=Sum("call_count"), last=Max("last_at"), failed=in_earnest)
    # Whoever calls without a key names any partner: no more than a few of them are told of.
    for row in rows.order_by("-last")[:PARTNERS_SHOWN]:
        slug = row["partner"]  # blank: of so many that theirs were not kept
        partner = partners.named(slug) if slug else Partner(slug="", name=_("Several"))
        accepted_at = getattr(known.pop(slug, None), "last_call_at", None)
        title = ngettext(
            "{partner}: {count} call refused in 24 hours",
            "{partner}: {count} calls refused in 24 hours",
            row["calls"],
        ).format(partner=partner.name, count=numbers.count(row["calls"]))
        is_bad = bool(row["failed"]) and (accepted_at is None or accepted_at <= row["failed"])
        yield _refused(partner, title, row["last"], is_bad=is_bad, accepted_at=accepted_at)
    for it in known.values():
        if it.state == "failing" and it.refused_at:
            title = _("{partner}: no call was accepted since one was refused").format(partner=it.partner.name)
            yield _refused(it.partner, title, it.refused_at, is_bad=True, accepted_at=None)


def _refused(
    partner: Partner, title: str, last_at: datetime, *, is_bad: bool, accepted_at: datetime | None
) -> Item:
    is_over = accepted_at is not None and accepted_at > last_at
    said = _("The last one came {time}. Calls have been accepted since.")
    listed = reverse("admin:accounts_rejectedcall_changelist")
    return Item(
        is_bad=is_bad,
        title=title,
        note=format_html(said if is_over else _("The last one came {time}."), time=ago(last_at)),
        url=f"{listed}?{urlencode({'partner': partner.slug})}" if partner.slug else listed,
        action=_("See why"),
    )


def _stale(freshness: Overview) -> Iterator[Item]:
    stale = [(cohort, it) for cohort, it in freshness.worst if it.state == State.STALE]
    for cohort, it in stale:
        yield Item(
            is_bad=True,
            title=_("“{cohort}” is stale").format(cohort=cohort.name),
            note=freshness_words.explained(it),
            url=reverse("admin:cohorts_cohort_change", args=[cohort.pk]),
            action=_("Open cohort"),
        )
    more = freshness.counts.get(State.STALE, 0) - len(stale)
    if more:
        title = ngettext("{count} more cohort is stale", "{count} more cohorts are stale", more)
        yield Item(
            is_bad=True,
            title=title.format(count=numbers.count(more)),
            note=_("No sync of them came, either."),
            url=reverse("admin:cohorts_cohort_changelist") + f"?freshness={State.STALE.value}",
            action=_("Open list"),
        )


def _unfinished(workspace: Workspace, now: datetime) -> Iterator[Item]:
    stopped = Q(status=CohortSync.Status.RUNNING, last_page_at__lt=now - QUIET)
    given_up = Q(status=CohortSync.Status.EXPIRED)
    # What is missing came by a later sync that is complete: a full one, or one of the same kind.
    made_up_for = Q(action=CohortSync.Action.MEMBERS) | Q(action=OuterRef("action"))
    later = CohortSync.objects.filter(made_up_for, cohort=OuterRef("cohort"), pk__gt=OuterRef("pk"))
    syncs = CohortSync.objects.for_workspace(workspace).filter(
        stopped | given_up,
        ~Exists(later.filter(status=CohortSync.Status.COMPLETE)),
        cohort__ignored_at=None,
        last_page_at__gte=now - STAYS_FOR,
    )
    names = ("cohort__name", "action", "status", "pages_count", "total_pages", "last_page_at")
    for sync in syncs.select_related("cohort").only(*names).order_by("-last_page_at")[:UNFINISHED_SHOWN]:
        yield Item(
            is_bad=False,
            title=_("A sync of “{cohort}” is unfinished").format(cohort=sync.cohort.name),
            note=format_html(
                str(_UNFINISHED[sync.action == CohortSync.Action.MEMBERS]),
                seen=sync.pages_count,
                total=sync.total_pages or "?",
                time=ago(sync.last_page_at),
            ),
            url=reverse("admin:cohorts_cohortsync_change", args=[sync.pk]),
            action=_("Open sync"),
        )


def _allotment(standing: Standing) -> Item:
    used = _("{percent}% of the data points of this period are used").format(percent=standing.percent)
    will_be = _("At this pace it will be {projected} of {limit}. Nothing stops: imports go on as before.")
    return Item(
        is_bad=standing.is_past,
        title=used,
        note=will_be.format(projected=numbers.count(standing.projected), limit=numbers.count(standing.limit)),
        url=reverse("admin:data_points"),
        action=_("Open data points"),
    )
