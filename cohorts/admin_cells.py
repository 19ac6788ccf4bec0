"""The cells of the lists of cohorts and of syncs, and the words for how a sync went."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts import partners
from cohorts import admin_syncs
from cohorts.models import Cohort, CohortSync
from profiles import admin_trend, admin_uses, numbers
from profiles.templatetags.moments import ago

Status = CohortSync.Status
TAGS = {Status.RUNNING: "rc-tag-warn", Status.COMPLETE: "rc-tag-good", Status.EXPIRED: "rc-tag-bad"}


# --- cohorts -------------------------------------------------------------------------------------------------
def cohort_name(_admin: Any, cohort: Cohort) -> SafeString:
    """Return the name, which partners make long, and whether the cohort was deleted here."""
    if cohort.ignored_at is None:
        return format_html('<span class="cl-name">{}</span>', cohort.name)
    tag = format_html('<span class="rc-tag rc-tag-warn">{}</span>', _("Deleted"))
    return format_html('<span class="cl-name">{} {}</span>', cohort.name, tag)


def partner(_admin: Any, cohort: Cohort) -> SafeString:
    """Return the partner as it spells itself, more or less, and what it calls the cohort."""
    return format_html(
        '<span class="cl-partner">{}<small class="rc-code cl-id">{}</small></span>',
        partners.named(cohort.partner).name,
        cohort.partner_cohort_id,
    )


def size(_admin: Any, cohort: Any) -> SafeString:
    """Return how many users are in the cohort now."""
    return _number(numbers.count(cohort.history.size))


def trend(_admin: Any, cohort: Any) -> SafeString:
    """Return how the size went in the last days."""
    return admin_trend.cell([day.size for day in cohort.history.days])


def match_rate(_admin: Any, cohort: Any) -> SafeString:
    """Return how many of the latest sync's members are users here."""
    sync = cohort.latest_sync
    if sync is None:
        unknown = _("No member was received yet.")
        return format_html('<span class="rc-none">–<span class="rc-hidden"> {}</span></span>', unknown)
    whole = numbers.count(sync.matched_count + sync.unmatched_count)
    words = _("{matched} of {whole} in the latest sync").format(
        matched=numbers.count(sync.matched_count), whole=whole
    )
    return format_html('<span class="cl-number" title="{}">{}</span>', words, admin_syncs.match_rate(sync))


def used_by(_admin: Any, cohort: Any) -> SafeString:
    """Return what uses the cohort, the first of it by name."""
    return admin_uses.cell(cohort.users, url=reverse("admin:cohorts_cohort_change", args=[cohort.pk]))


def last_sync(_admin: Any, cohort: Cohort) -> SafeString:
    """Return when the partner sent the cohort last."""
    return ago(cohort.last_sync_at)


# --- syncs ---------------------------------------------------------------------------------------------------
def sync_cohort(_admin: Any, sync: CohortSync) -> SafeString:
    """Return the cohort's name, and what the partner asked for."""
    action = sync.get_action_display()
    return format_html('<span class="cl-name">{}<small>{}</small></span>', sync.cohort.name, action)


def status(_admin: Any, sync: CohortSync) -> SafeString:
    """Return how far the sync came."""
    tag = TAGS.get(Status(sync.status), "")
    return format_html('<span class="rc-tag {}">{}</span>', tag, sync.get_status_display())


def pages(_admin: Any, sync: CohortSync) -> SafeString:
    """Return `3 of 10`, or `3` if the partner did not say how many."""
    return _number(pages_in_words(sync))


def received(_admin: Any, sync: CohortSync) -> SafeString:
    """Return how many members the partner sent."""
    return _number(numbers.count(sync.received_count))


def matched(_admin: Any, sync: CohortSync) -> SafeString:
    """Return how many users the members are."""
    return _number(numbers.count(sync.matched_count))


def unmatched(_admin: Any, sync: CohortSync) -> SafeString:
    """Return how many members are nobody here."""
    return _number(numbers.count(sync.unmatched_count))


def changes(_admin: Any, sync: Any) -> SafeString:
    """Return how many users entered and left."""
    if not sync.is_settled:
        return format_html('<span class="cl-number" title="{}">{}</span>', settles_later(sync), "–")
    entered, left = numbers.count(sync.entered_count), numbers.count(sync.left_count)
    return format_html(
        '<span class="cl-number">+{} <span aria-hidden="true">/</span> −{}</span>', entered, left
    )


def last_page(_admin: Any, sync: CohortSync) -> SafeString:
    """Return when the partner was heard last."""
    return ago(sync.last_page_at)


def pages_in_words(sync: CohortSync) -> str:
    """Return `3 of 10`, or `3` if the partner did not say how many."""
    seen = numbers.count(sync.pages_count)
    if sync.total_pages is None:
        return seen
    return _("{seen} of {total}").format(seen=seen, total=numbers.count(sync.total_pages))


def settles_later(sync: CohortSync) -> str:
    """Return why it is not known yet whom a sync added and removed."""
    if sync.action == CohortSync.Action.MEMBERS:
        return _("Nothing changes until all pages are here.")
    return _("Counted when the sync is complete, or within a minute.")


def _number(text: str) -> SafeString:
    return format_html('<span class="cl-number">{}</span>', text)
