"""Cohorts are deleted and restored in the admin; syncs are followed while they come in; the unmatched are downloaded."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap

from accounts.models import AuditEntry
from cohorts import ignoring
from cohorts.models import CohortSync
from profiles import bitmaps
from tests.accounts.factories import UserFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory
from tests.cohorts.test_admin import LIST, page_of, plain, queries_of, text_of
from tests.profiles.factories import ProfileFactory
from tests.segments.definitions import cohorts, definition
from tests.segments.factories import SegmentFactory

FOUND, FORBIDDEN, NOT_FOUND, NOT_ALLOWED, CONFLICT = 302, 403, 404, 405, 409


def address(name, cohort):
    return reverse(f"admin:cohorts_cohort_{name}", args=[cohort.pk])


def sync_address(name, sync):
    return reverse(f"admin:cohorts_cohortsync_{name}", args=[sync.pk])


def is_deleted(cohort):
    cohort.refresh_from_db()
    return cohort.ignored_at is not None


@pytest.fixture
def cohort(workspace):
    return CohortFactory.create(name="Lapsed", members=ProfileFactory.create_batch(2))


@pytest.fixture
def running(cohort):
    """A sync of which pages come in."""
    return CohortSyncFactory.create(
        cohort=cohort,
        unfinished=True,
        total_pages=4,
        pages=bitmaps.pack(BitMap([1, 3])),
        pages_count=2,
        started_at=timezone.now() - timedelta(seconds=20),
        last_page_at=timezone.now(),
    )


# --- delete ----------------------------------------------------------------------------------------------------
def test_deleting_asks_first_and_says_what_happens(administrator_client, cohort, running):
    page = plain(text_of(administrator_client, address("delete", cohort)))
    assert "Delete “Lapsed”?" in page
    assert "Every later sync of it is answered with 404" in page
    assert "Used by nothing Unfinished syncs one, which is given up" in page
    assert not is_deleted(cohort)


def test_deleted_cohort_says_so_and_comes_back(administrator_client, administrator, cohort, running):
    answer = administrator_client.post(address("delete", cohort), follow=True)
    assert answer.redirect_chain == [(LIST, FOUND)]
    assert "“Lapsed” is deleted. Its syncs are refused now." in answer.content.decode()
    assert (is_deleted(cohort), cohort.ignored_by) == (True, administrator)
    running.refresh_from_db()
    assert running.status == CohortSync.Status.EXPIRED
    page = plain(text_of(administrator_client, page_of(cohort)))
    assert "This cohort is deleted administrator deleted it now ." in page
    assert "Restore" in page
    assert "Delete cohort" not in page
    answer = administrator_client.post(address("restore", cohort), follow=True)
    assert "“Lapsed” is back, and its syncs are taken again." in answer.content.decode()
    assert "This cohort is deleted" not in answer.content.decode()
    assert not is_deleted(cohort)


def test_asking_about_a_deleted_cohort_leads_to_its_page(administrator_client, cohort):
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())
    answer = administrator_client.post(address("delete", cohort))
    assert (answer.status_code, answer["Location"]) == (FOUND, page_of(cohort))
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", CONFLICT)])
def test_cohort_in_use_is_not_deleted_and_its_segments_are_named_and_linked(
    administrator_client, cohort, method, status
):
    segment = SegmentFactory.create(name="Win back", definition=definition(cohorts(cohort.pk)))
    answer = getattr(administrator_client, method)(address("delete", cohort))
    assert answer.status_code == status
    page = answer.content.decode()
    assert "“Lapsed” is in use and cannot be deleted." in page
    assert f'href="{reverse("admin:segments_segment_change", args=[segment.pk])}">Win back' in page
    assert "rc-button-danger" not in page
    assert not is_deleted(cohort)


def test_segments_that_one_may_not_look_at_are_counted_only(client_of, workspace, cohort):
    SegmentFactory.create(name="Secret plans", definition=definition(cohorts(cohort.pk)))
    user = UserFactory.create(workspaces=[workspace])
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_cohort", "delete_cohort"]))
    page = text_of(client_of(user), address("delete", cohort))
    assert "one more that you may not look at" in page
    assert "Secret plans" not in page


def test_marketers_and_strangers_delete_and_restore_nothing(marketer_client, stranger_client, client, cohort):
    for name in ("delete", "restore"):
        url = address(name, cohort)
        assert marketer_client.post(url).status_code == FORBIDDEN
        assert stranger_client.post(url).status_code == NOT_FOUND
        assert client.post(url)["Location"].startswith("/admin/login/")
    assert marketer_client.get(address("delete", cohort)).status_code == FORBIDDEN
    assert stranger_client.get(address("delete", cohort)).status_code == NOT_FOUND
    assert not is_deleted(cohort)
    assert "Delete cohort" not in text_of(marketer_client, page_of(cohort))


def test_marketer_is_told_who_can_restore(marketer_client, cohort):
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())
    page = plain(text_of(marketer_client, page_of(cohort)))
    assert "It was deleted now ." in page
    assert "An administrator can restore it." in page


def test_restoring_is_no_link(administrator_client, cohort):
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())
    assert administrator_client.get(address("restore", cohort)).status_code == NOT_ALLOWED
    assert is_deleted(cohort)


def test_user_s_page_lists_no_deleted_cohort(marketer_client, workspace):
    person = ProfileFactory.create()
    cohort = CohortFactory.create(name="Lapsed", members=[person])
    url = reverse("admin:profiles_profile_change", args=[person.pk])
    assert "Lapsed" in text_of(marketer_client, url)
    ignoring.ignore(cohort=cohort, by=None, now=timezone.now())
    assert "Lapsed" not in text_of(marketer_client, url)


# --- while pages come in ---------------------------------------------------------------------------------------
def test_progress_of_a_sync_is_told_while_pages_come_in(marketer_client, running):
    told = marketer_client.get(sync_address("progress", running)).json()
    assert (told["is_active"], told["percent"], told["words"]) == (True, 50, "Waiting for pages")
    assert set(told["parts"]) == {"status", "progress", "counts"}
    assert "2, 4" in told["parts"]["progress"]


def test_progress_of_a_cohort_is_told_in_the_rows_of_its_syncs(marketer_client, cohort, running):
    told = marketer_client.get(address("progress", cohort)).json()
    assert (told["is_active"], told["percent"]) == (True, 50)
    assert "missing: 2, 4" in told["parts"]["rows"]
    assert told["parts"]["rows"] in text_of(marketer_client, page_of(cohort))


@pytest.mark.parametrize(
    "change", [{"status": "complete"}, {"last_page_at": timezone.now() - timedelta(minutes=6)}]
)
def test_nobody_goes_on_asking_once_pages_stopped(marketer_client, cohort, running, change):
    CohortSync.objects.filter(pk=running.pk).update(**change)
    for url in (address("progress", cohort), sync_address("progress", running)):
        assert marketer_client.get(url).json()["is_active"] is False
    assert 'data-active="no"' in text_of(marketer_client, page_of(cohort))


def test_cohort_without_syncs_has_no_progress(marketer_client, workspace):
    told = marketer_client.get(address("progress", CohortFactory.create())).json()
    assert (told["is_active"], told["percent"], told["words"]) == (False, 0, "")
    assert "<tr" not in told["parts"]["rows"]


def test_page_says_when_an_unfinished_sync_is_given_up(marketer_client, cohort, running, settings):
    settings.UNFINISHED_SYNC_HOURS = 2
    CohortSync.objects.filter(pk=running.pk).update(
        last_page_at=timezone.now() - timedelta(minutes=59, seconds=30)
    )
    assert "given up an hour from now" in plain(text_of(marketer_client, page_of(cohort)))
    page = plain(text_of(marketer_client, reverse("admin:cohorts_cohortsync_change", args=[running.pk])))
    assert "Pages 2 of 4 Missing pages 2, 4 Given up, unless they come an hour from now" in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "under a second"), (1, "1 second"), (42, "42 seconds"), (130, "about 2 minutes")],
)
def test_duration_is_from_the_first_page_to_the_last(marketer_client, cohort, seconds, words):
    began = timezone.now() - timedelta(hours=1)
    CohortSyncFactory.create(cohort=cohort, started_at=began, last_page_at=began + timedelta(seconds=seconds))
    assert f"an hour ago {words}" in plain(text_of(marketer_client, page_of(cohort)))


def test_why_a_page_was_refused_stands_in_its_row(marketer_client, cohort, running):
    CohortSync.objects.filter(pk=running.pk).update(last_error="Too many members.")
    assert "Waiting for pages Too many members." in plain(text_of(marketer_client, page_of(cohort)))


def test_page_of_a_cohort_costs_the_same_for_1_and_10_syncs(marketer_client, cohort):
    one = len(queries_of(marketer_client, page_of(cohort)))
    CohortSyncFactory.create_batch(9, cohort=cohort)
    assert len(queries_of(marketer_client, page_of(cohort))) == one


# --- the unmatched as a file -------------------------------------------------------------------------------------
@pytest.fixture
def sampled(cohort):
    names = ["=cmd()", "visitor, 1", "", "+49 30 1234"]
    sample = [{"identifier": name, "reason": "unknown" if name else "invalid"} for name in names]
    return CohortSyncFactory.create(cohort=cohort, unmatched_sample=sample, unknown_count=4)


@pytest.mark.parametrize("persona", ["administrator_client", "marketer_client"])
def test_sample_is_a_file_that_no_spreadsheet_runs(request, persona, sampled):
    answer = request.getfixturevalue(persona).get(sync_address("unmatched", sampled))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="sync-{sampled.pk}-unmatched.csv"'
    assert (answer["X-Content-Type-Options"], "no-store" in answer["Cache-Control"]) == ("nosniff", True)
    rows = list(csv.reader(answer.content.decode().splitlines()))
    assert rows[0] == ["identifier", "reason", "explanation"]
    assert [row[:2] for row in rows[1:]] == [
        ["'=cmd()", "unknown"],
        ["visitor, 1", "unknown"],
        ["", "invalid"],
        ["'+49 30 1234", "unknown"],
    ]
    assert rows[1][2] == "Unknown: no user here has this identifier."


def test_both_pages_link_to_the_file_while_it_is_there(marketer_client, cohort, sampled):
    link = f'href="{sync_address("unmatched", sampled)}" download'
    pages = [page_of(cohort), reverse("admin:cohorts_cohortsync_change", args=[sampled.pk])]
    assert [link in text_of(marketer_client, page) for page in pages] == [True, True]
    CohortSync.objects.filter(pk=sampled.pk).update(unmatched_sample=[])
    assert [link in text_of(marketer_client, page) for page in pages] == [False, False]
    assert marketer_client.get(sync_address("unmatched", sampled)).status_code == NOT_FOUND


def test_who_may_not_look_at_syncs_gets_neither_file_nor_progress(client_of, workspace, cohort, sampled):
    user = UserFactory.create(workspaces=[workspace])
    user.user_permissions.add(Permission.objects.get(codename="view_cohort"))
    client = client_of(user)
    for name in ("unmatched", "progress"):
        assert client.get(sync_address(name, sampled)).status_code == FORBIDDEN
    assert sync_address("unmatched", sampled) not in text_of(client, page_of(cohort))
    assert client.get(address("progress", cohort)).status_code == 200


def test_strangers_and_the_logged_out_get_nothing(stranger_client, client, cohort, sampled):
    urls = [
        sync_address("unmatched", sampled),
        sync_address("progress", sampled),
        address("progress", cohort),
    ]
    assert [stranger_client.get(url).status_code for url in urls] == [NOT_FOUND] * 3
    assert all(client.get(url)["Location"].startswith("/admin/login/") for url in urls)
