"""Every page of the admin: accessible, without a complaint, and fitting, in both themes and all languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from accounts.models import AuditEntry, DataImportKey, RejectedCall, RestApiKey, User, Workspace
from cohorts.models import Cohort, CohortSync
from profiles.models import ImportJob, Profile
from segments import demo_days, exports, saving
from segments.models import Segment, SegmentExport
from tests.accounts.factories import make_key, make_rejection, make_rest_key
from tests.browser.conftest import DESKTOP, PHONE
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, make_hourly
from tests.profiles.factories import make_people
from tests.profiles.import_jobs import uploaded
from tests.segments.definitions import cohorts, definition


@dataclass(frozen=True)
class World:
    """One of everything."""

    workspace: Workspace
    member: User
    key: DataImportKey
    rest_key: RestApiKey
    entry: AuditEntry
    rejected: RejectedCall
    cohort: Cohort
    sync: CohortSync
    profile: Profile
    segment: Segment
    draft: ImportJob
    export: SegmentExport


@pytest.fixture
def world(workspace: Workspace, marketer: User, settings: Any, tmp_path: Path) -> World:
    """A workspace in use: a key, people, a cohort with a sync that stopped half-way, a segment."""
    ids = make_people(workspace, ["ada", "bob", "cleo"]).values()
    demo_days.invent(workspace=workspace, now=timezone.now())
    people = Profile.objects.filter(pk__in=ids).order_by("pk")
    cohort = CohortFactory.create(name="Bought twice in 30 days", members=people)
    stopped = timezone.now() - timedelta(hours=3)
    sync = CohortSyncFactory.create(cohort=cohort, unfinished=True, started_at=stopped)
    silent = make_hourly(silence=timedelta(hours=9), name="Left their cart")
    loyal = definition(cohorts(cohort.pk, silent.pk))
    segment = Segment(workspace=workspace, name="Loyal", definition=loyal)
    saving.save(segment=segment, tags=["crm"], by=marketer, now=timezone.now())
    key, _ = make_key(workspace, label="Production")
    rest_key, _ = make_rest_key(workspace, label="Production")
    entry = AuditEntry.objects.latest("id")
    rejected = make_rejection(workspace)
    settings.MEDIA_ROOT = str(tmp_path)
    draft = uploaded(marketer, b"external_id,plan\nada,pro\n")
    export = exports.create(segment=segment, columns=["external_id"], by=marketer, now=timezone.now())
    return World(
        workspace, marketer, key, rest_key, entry, rejected, cohort, sync, people[0], segment, draft, export
    )


# The name of each page's address, and the arguments it takes.
PAGES: dict[str, Callable[[World], list[Any]]] = {
    "index": lambda _: [],
    "password_change": lambda _: [],
    "password_change_done": lambda _: [],
    "technology_partners": lambda _: [],
    "technology_partner": lambda _: ["mixpanel"],
    "technology_partner_settings": lambda _: ["mixpanel"],
    "technology_partner_switch": lambda _: ["mixpanel"],
    "technology_partner_mapping": lambda _: ["mixpanel"],
    "technology_partner_invalidate_key": lambda world: ["mixpanel", world.key.pk],
    "notifications": lambda _: [],
    "rest_api_keys": lambda _: [],
    "rest_api_key_invalidate": lambda world: [world.rest_key.pk],
    "data_points": lambda _: [],
    "accounts_auditentry_changelist": lambda _: [],
    "accounts_auditentry_change": lambda world: [world.entry.pk],
    "accounts_rejectedcall_changelist": lambda _: [],
    "accounts_rejectedcall_change": lambda world: [world.rejected.pk],
    "accounts_user_changelist": lambda _: [],
    "accounts_user_add": lambda _: [],
    "accounts_user_change": lambda world: [world.member.pk],
    "accounts_user_history": lambda world: [world.member.pk],
    "auth_user_password_change": lambda world: [world.member.pk],
    "accounts_workspace_changelist": lambda _: [],
    "accounts_workspace_change": lambda world: [world.workspace.pk],
    "accounts_workspace_history": lambda world: [world.workspace.pk],
    "cohorts_cohort_changelist": lambda _: [],
    "cohorts_cohort_change": lambda world: [world.cohort.pk],
    "cohorts_cohort_delete": lambda world: [world.cohort.pk],
    "cohorts_cohortsync_changelist": lambda _: [],
    "cohorts_cohortsync_change": lambda world: [world.sync.pk],
    "profiles_importjob_changelist": lambda _: [],
    "profiles_importjob_upload": lambda _: ["csv"],
    "profiles_importjob_columns": lambda world: [world.draft.pk],
    "profiles_importjob_change": lambda world: [world.draft.pk],
    "profiles_profile_changelist": lambda _: [],
    "profiles_profile_change": lambda world: [world.profile.pk],
    "segments_segment_changelist": lambda _: [],
    "segments_segment_add": lambda _: [],
    "segments_segment_change": lambda world: [world.segment.pk],
    "segments_segment_delete": lambda world: [world.segment.pk],
    "segments_segment_history": lambda world: [world.segment.pk],
    "segments_segment_archive": lambda world: [world.segment.pk],
    "segments_segment_version": lambda world: [world.segment.pk, 1],
    "segments_segment_restore": lambda world: [world.segment.pk, 1],
    "segments_segmentexport_changelist": lambda _: [],
    "segments_segmentexport_change": lambda world: [world.export.pk],
    "segments_segmentexport_new": lambda world: [world.segment.pk],
}
# What has no page of its own for staff in the admin, each for its reason.
NOT_PAGES = {
    "app_list": "leads to the overview",
    "autocomplete": "answers JSON",
    "jsi18n": "answers JavaScript",
    "login": "tested below, without a session",
    "logout": "takes a POST",
    "search": "the theme's search of models, which nothing links to",
    "view_on_site": "there is no other site",
    "workspace": "takes a POST",
    "technology_partner_generate_key": "takes a POST; tested in test_accounts.py",
    "technology_partner_key": "takes a POST; tested in accounts/test_admin_partner_settings.py",
    "rest_api_keys_generate": "takes a POST; tested in test_rest_keys.py",
    "data_points_allotment": "takes a POST; tested in test_admin_points.py",
    "data_points_download": "answers a file",
    "cohorts_cohort_restore": "takes a POST; tested in test_cohorts.py",
    "cohorts_cohort_progress": "answers JSON",
    "cohorts_cohortsync_progress": "answers JSON",
    "cohorts_cohortsync_unmatched": "answers a file",
    "profiles_profile_edit": "tested in test_user_by_hand.py",
    "profiles_profile_attribute": "tested in test_user_by_hand.py",
    "profiles_profile_identify": "tested in test_user_by_hand.py",
    "profiles_profile_merge": "tested in test_user_by_hand.py",
    "profiles_profile_alias": "tested in test_user_by_hand.py",
    "profiles_profile_erase": "tested in test_user_by_hand.py",
    "profiles_profile_remove_alias": "takes a POST; tested in test_user_by_hand.py",
    "profiles_profile_download": "answers a file",
    "profiles_importjob_begin": "answers JSON",
    "profiles_importjob_piece": "answers JSON",
    "profiles_importjob_progress": "answers JSON",
    "profiles_importjob_start": "takes a POST; tested in test_imports.py",
    "profiles_importjob_step": "takes a POST; tested in test_imports.py",
    "profiles_importjob_faults": "answers a file",
    "segments_segment_counts": "answers JSON",
    "segments_segment_suggest": "answers JSON",
    "segments_segment_people": "answers JSON",
    "segments_segment_explain": "answers JSON",
    "segments_segmentexport_end": "asks about a running export; tested in test_exports.py",
    "segments_segmentexport_file": "answers a file",
    "segments_segmentexport_progress": "answers JSON",
    "segments_segment_duplicate": "takes a POST; tested in test_segment_page.py",
    "segments_segment_unarchive": "takes a POST; tested in test_segment_page.py",
    "accounts_workspace_add": "operators alone",
}
NEVER = ("_delete", "_add", "_history")  # pages of models that nobody adds, deletes or edits here
# One browser walks through all pages per variant: what it has cached makes it three times as fast as one per page.
VARIANTS = [("en", "light", DESKTOP), ("fr", "light", PHONE), ("de", "dark", DESKTOP)]


def names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    """Return the names of all addresses below."""
    below = [names(it.url_patterns) for it in patterns if isinstance(it, URLResolver)]
    here = {it.name for it in patterns if isinstance(it, URLPattern) and it.name}
    return here.union(*below)


def test_every_address_of_the_admin_is_on_the_list():
    missing = names(admin.site.get_urls()) - set(PAGES) - set(NOT_PAGES)
    assert {name for name in missing if not name.endswith(NEVER)} == set()


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.looks
def test_pages_are_accessible_quiet_and_fit(
    variant, page, sign_in, speak, administrator, world, axe_clean, no_overflow, subtests
):
    language, scheme, size = variant
    sign_in(administrator)
    speak(language)
    page.emulate_media(color_scheme=scheme)
    for name, arguments in PAGES.items():
        with subtests.test(name):
            page.set_viewport_size(size)
            answer = page.goto(reverse(f"admin:{name}", args=arguments(world)))
            assert answer.status == 200
            assert page.locator("html").get_attribute("lang") == language
            assert page.evaluate("document.documentElement.classList.contains('dark')") == (scheme == "dark")
            if language != "en":  # whose words are the shortest; the two others cover both themes and widths
                axe_clean(page)
            for other in (DESKTOP, PHONE):
                page.set_viewport_size(other)
                no_overflow(page)


@pytest.mark.parametrize(("language", "scheme", "size"), VARIANTS)
@pytest.mark.looks
def test_login_is_accessible_quiet_and_fits(language, scheme, size, page, speak, axe_clean, no_overflow):
    speak(language)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto("/admin/login/")
    axe_clean(page)
    no_overflow(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_refusal_is_accessible_and_fits(scheme, page, sign_in, marketer, axe_clean, no_overflow, complaints):
    sign_in(marketer)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    page.goto("/admin/technology-partners/")
    complaints.clear()  # browsers log that a page answered 403
    assert page.get_by_role("heading", level=1).inner_text() == "You cannot open this page"
    axe_clean(page)
    no_overflow(page)
