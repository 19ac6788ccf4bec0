"""Staff learn by mail that a cohort fell silent, once, and that it is heard of again, once.

Checks may run late, twice, and at the same time. Each step is safe by itself:

1. Each cohort is judged as of `now`.
2. One that became stale begins an incident. That a cohort has one open incident at most is a constraint of the
   database: of two checks that begin it, the second adds nothing.
3. One that is not stale any more ends its incident, by an update of rows that have not ended.
4. Whoever mails incidents claims them first, under their row locks and in a transaction of its own: no other check
   takes them, and no writer waits while a mail server thinks. That staff was told is noted after the mails were
   handed over. If the server is down the claim is given back, and the next check tries again; if the worker dies,
   the claim lapses, and its staff may get the mail twice rather than never.

Incidents end without a word if there is nothing to say: the integration was switched off, the cohort was deleted
here, the operator entered a longer interval, or nobody was told that it began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from accounts import mail
from accounts.models import AuditEntry, Workspace
from cohorts import freshness, latest_syncs, stale_mails
from cohorts.freshness import Freshness, State
from cohorts.models import Cohort, StaleIncident

# Longer than any job may run: a claim this old is nobody's.
CLAIMED_FOR = timedelta(minutes=30)
RESUMING = (AuditEntry.Action.INTEGRATION_SWITCHED_ON, AuditEntry.Action.COHORT_RESTORED)

log = structlog.get_logger("rollcall.cohorts")


@dataclass(frozen=True)
class News:
    """One of the two mails: its templates, the incidents it is about, and where it is noted that staff has it."""

    about: str
    told: str
    untold: Q


STALE = News("cohorts_stale", "told_at", Q(told_at=None, ended_at=None))
RECOVERED = News(
    "cohorts_recovered", "end_told_at", Q(told_at__isnull=False, ended_at__isnull=False, end_told_at=None)
)


def check(*, now: datetime) -> dict[str, int]:
    """Begin and end incidents, and mail them; return how many began, ended, and how many mails were sent."""
    open_incidents = list(StaleIncident.objects.filter(ended_at=None))
    looked_at = Q(ignored_at=None) | Q(pk__in=[incident.cohort_id for incident in open_incidents])
    cohorts = Cohort.objects.filter(looked_at).only("name", *latest_syncs.FIELDS)
    by_id = {cohort.pk: cohort for cohort in cohorts}
    found = latest_syncs.of_cohorts(cohorts=by_id.values(), now=now)
    known = {incident.cohort_id for incident in open_incidents}
    stale = [by_id[pk] for pk, it in found.items() if it.state == State.STALE and pk not in known]
    return {
        "began": _begin(stale, found, now),
        "ended": sum(_end(incident, found[incident.cohort_id], now) for incident in open_incidents),
        "mails": _tell(found, now),
    }


# --- incidents ------------------------------------------------------------------------------------------------
def _begin(stale: Sequence[Cohort], found: Mapping[int, Freshness], now: datetime) -> int:
    resumed = _resumed(stale)
    incidents = [
        StaleIncident(cohort=cohort, heard_at=heard_at, began_at=now)
        for cohort in stale
        if (heard_at := found[cohort.pk].heard_at)
        and not _is_given_time(found[cohort.pk], resumed.get(cohort.workspace_id), now)
    ]
    StaleIncident.objects.bulk_create(incidents, ignore_conflicts=True)
    return len(incidents)


def _resumed(cohorts: Sequence[Cohort]) -> dict[int, datetime]:
    """Return when an integration was switched on, or a cohort restored, in their workspaces last."""
    if not cohorts:
        return {}
    entries = AuditEntry.objects.filter(
        workspace__in={cohort.workspace_id for cohort in cohorts}, action__in=RESUMING
    )
    return dict(entries.values_list("workspace").annotate(at=Max("happened_at")))


def _is_given_time(it: Freshness, resumed_at: datetime | None, now: datetime) -> bool:
    """Whether the partner may not have noticed yet that it is listened to again."""
    if resumed_at is None or it.expected is None:
        return False
    return now - resumed_at <= freshness.STALE_AFTER * it.expected


def _end(incident: StaleIncident, it: Freshness, now: datetime) -> int:
    if it.state == State.STALE:
        return 0
    is_heard = it.state != State.OFF and it.heard_at is not None and it.heard_at > incident.heard_at
    silently = {} if is_heard else {"end_told_at": now}
    return StaleIncident.objects.filter(pk=incident.pk, ended_at=None).update(ended_at=now, **silently)


# --- mails ----------------------------------------------------------------------------------------------------
def _tell(found: Mapping[int, Freshness], now: datetime) -> int:
    count = 0
    to_tell = [(news, it) for news in (RECOVERED, STALE) for it in _workspaces_to_tell(news, now)]
    for news, workspace in to_tell:
        try:
            count += _mail(news, workspace, found, now)
        except (
            OSError
        ) as error:  # smtplib's errors are some, too: who has no mail yet gets it at the next check
            log.warning("mail_not_handed_over", error=type(error).__name__)
            if not isinstance(error, mail.OF_ONE_MAIL):
                break  # nor would the server take those of other workspaces
    return count


def _waiting(news: News, now: datetime) -> QuerySet[StaleIncident]:
    is_free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIMED_FOR)
    return StaleIncident.objects.filter(news.untold, is_free)


def _workspaces_to_tell(news: News, now: datetime) -> QuerySet[Workspace]:
    return Workspace.objects.filter(pk__in=_waiting(news, now).values("cohort__workspace")).order_by("pk")


def _claim(news: News, workspace: Workspace, now: datetime) -> list[StaleIncident]:
    """Take what is to be told to a workspace for this check alone: of two that try, the second finds it taken."""
    with transaction.atomic():
        own = _waiting(news, now).filter(cohort__workspace=workspace)
        taken = list(own.select_for_update(of=("self",)).values_list("pk", flat=True))
        StaleIncident.objects.filter(pk__in=taken).update(claimed_at=now)
    incidents = StaleIncident.objects.filter(pk__in=taken).select_related("cohort").order_by("heard_at", "pk")
    return list(incidents.defer("cohort__snapshot"))


def _mail(news: News, workspace: Workspace, found: Mapping[int, Freshness], now: datetime) -> int:
    incidents = _claim(news, workspace, now)
    if not incidents:
        return 0
    claimed = StaleIncident.objects.filter(pk__in=[incident.pk for incident in incidents])
    try:
        count = mail.tell(
            workspace=workspace,
            about=news.about,
            context=stale_mails.context(incidents=incidents, found=found),
        )
    except Exception:
        claimed.update(claimed_at=None)
        raise
    claimed.update(**{news.told: now, "claimed_at": None})
    return count
