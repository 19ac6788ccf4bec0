"""Audience > Exports: who may order, watch, end and download what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from profiles import job_claims
from segments import exports
from segments.models import SegmentExport
from tests.profiles.factories import make_people
from tests.profiles.import_jobs import NOW
from tests.segments.export_jobs import ordered, rows, run, segment_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:segments_segmentexport_changelist")


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


@pytest.fixture
def segment(workspace):
    return segment_of(make_people(workspace, ["u1", "u2", "u3"]).values(), name="Spring")


@pytest.fixture
def now_done(segment, marketer, monkeypatch) -> SegmentExport:
    """An export whose file is here now: downloads look at the real clock."""
    job = run(ordered(segment, marketer))
    SegmentExport.objects.update(expires_at="2999-01-01T00:00:00Z")
    job.refresh_from_db()
    return job


def at(name: str, *args) -> str:
    return reverse(f"admin:segments_segmentexport_{name}", args=args)


# --- the journey ---------------------------------------------------------------------------------------------
def test_marketer_orders_watches_and_downloads(marketer_client, marketer, segment):
    button = marketer_client.get(reverse("admin:segments_segment_change", args=[segment.pk]))
    assert at("new", segment.pk) in button.content.decode()
    form = marketer_client.get(at("new", segment.pk)).content.decode()
    assert form.count(" checked") == 6
    sent = {"chosen": ["email", "external_id"], "custom": " plan \n\nplan\nltv"}
    answer = marketer_client.post(at("new", segment.pk), sent)
    job = SegmentExport.objects.get()
    assert (answer.url, job.created_by) == (at("change", job.pk), marketer)
    assert job.fields == ["external_id", "email", "custom:plan", "custom:ltv"]
    assert "Waiting for the worker" in marketer_client.get(answer.url).content.decode()
    assert marketer_client.get(at("progress", job.pk)).json()["is_active"]
    SegmentExport.objects.update(created_at=NOW)
    run(job)
    SegmentExport.objects.update(expires_at="2999-01-01T00:00:00Z")
    assert not marketer_client.get(at("progress", job.pk)).json()["is_active"]
    page = marketer_client.get(at("change", job.pk)).content.decode()
    assert at("file", job.pk) in page
    assert "External ID, Email, plan, ltv" in page
    again = marketer_client.get(at("new", segment.pk), {"like": job.pk}).content.decode()
    assert (again.count(" checked"), ">plan\nltv</textarea>" in again) == (2, True)
    download = marketer_client.get(at("file", job.pk))
    content = b"".join(download.streaming_content).decode()
    assert content.splitlines() == ["external_id,email,plan,ltv", "u1,,,", "u2,,,", "u3,,,"]
    assert download["Content-Disposition"] == f'attachment; filename="export-{job.pk}.csv"'
    assert (download["X-Content-Type-Options"], download["Content-Type"]) == (
        *("nosniff", "text/csv; charset=utf-8"),
    )
    assert "no-store" in download["Cache-Control"]
    assert int(download["Content-Length"]) == len(content)
    assert AuditEntry.objects.order_by("-id")[0].action == "export_downloaded"


def test_file_without_fields_is_refused_and_names_too_long_are_shown_at_their_field(marketer_client, segment):
    answer = marketer_client.post(at("new", segment.pk), {"custom": " \n"})
    assert answer.status_code == 422
    assert "Choose at least one field." in answer.content.decode()
    answer = marketer_client.post(at("new", segment.pk), {"chosen": ["email"], "custom": "x" * 256})
    assert "at most 255 characters" in answer.content.decode()
    many = "\n".join(map(str, range(300)))
    answer = marketer_client.post(at("new", segment.pk), {"custom": many})
    assert "at most 200 columns" in answer.content.decode()
    assert not SegmentExport.objects.exists()


def test_cancel_and_deletion_are_asked_before_they_are_done(marketer_client, marketer, segment):
    waiting, done = ordered(segment, marketer), run(ordered(segment, marketer))
    assert "Cancel the export of “Spring”?" in marketer_client.get(at("end", waiting.pk)).content.decode()
    assert marketer_client.post(at("end", waiting.pk), {"cancel": ""}).url == at("change", waiting.pk)
    assert "Delete the file of “Spring”?" in marketer_client.get(at("end", done.pk)).content.decode()
    late = marketer_client.post(at("end", done.pk), {"cancel": ""}, follow=True)
    assert "moved on meanwhile" in late.content.decode()
    marketer_client.post(at("end", done.pk), {"delete": ""})
    statuses = SegmentExport.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == ["cancelled", "expired"]
    page = marketer_client.get(at("change", done.pk)).content.decode()
    assert "A member of the team deleted the file." in page
    assert marketer_client.get(at("end", done.pk)).url == at("change", done.pk)


def test_file_whose_time_is_over_is_not_handed_out(marketer_client, now_done):
    SegmentExport.objects.update(expires_at=NOW)
    assert marketer_client.get(at("file", now_done.pk)).status_code == 404
    assert "about to be deleted" in marketer_client.get(at("change", now_done.pk)).content.decode()
    exports.expire(now=NOW)
    assert marketer_client.get(at("file", now_done.pk)).status_code == 404
    assert "as its time was over" in marketer_client.get(at("change", now_done.pk)).content.decode()


def test_file_that_is_lost_is_not_found(marketer_client, now_done, tmp_path):
    (tmp_path / now_done.file.name).unlink()
    assert marketer_client.get(at("file", now_done.pk)).status_code == 404


# --- who may -------------------------------------------------------------------------------------------------
def addresses(job: SegmentExport) -> list[tuple[str, str]]:
    """Return every page of an export and of its segment's order, with the method it is asked by."""
    pages = [("get", at(name, job.pk)) for name in ("end", "progress", "file")]
    return [
        *pages,
        ("post", at("end", job.pk)),
        *((how, at("new", job.segment_id)) for how in ("get", "post")),
    ]


def test_stranger_finds_no_export_of_another_workspace(stranger_client, now_done):
    assert "Spring" not in stranger_client.get(LIST).content.decode()
    for method, address in addresses(now_done):
        assert getattr(stranger_client, method)(address).status_code == 404, address
    assert stranger_client.get(at("change", now_done.pk)).status_code == 302
    assert len(rows(SegmentExport.objects.get())) == 4


def test_member_of_staff_without_the_role_sees_nothing(client_of, marketer, now_done):
    marketer.groups.clear()
    client = client_of(marketer)
    for method, address in [*addresses(now_done), ("get", LIST), ("get", at("change", now_done.pk))]:
        assert getattr(client, method)(address).status_code == 403, address


def test_administrator_may_the_same(administrator_client, now_done):
    assert "Download" in administrator_client.get(LIST).content.decode()
    assert b"u3" in b"".join(administrator_client.get(at("file", now_done.pk)).streaming_content)
    assert administrator_client.get(at("end", now_done.pk)).status_code == 200


# --- what it costs -------------------------------------------------------------------------------------------
def test_progress_says_how_far_and_how_fast(marketer_client, marketer, segment):
    job = ordered(segment, marketer)
    SegmentExport.objects.update(
        status="running", done_count=2_000, total_count=4_000, worked=timedelta(seconds=2)
    )
    answer = marketer_client.get(at("progress", job.pk)).json()
    assert (answer["percent"], answer["is_active"], answer["words"]) == (50, True, "Running")
    assert "2,000 of 4,000 users" in answer["parts"]["progress"]
    assert "1,000 users per second, less than a minute left" in answer["parts"]["progress"]


def test_pages_cost_the_same_however_many_exports_there_are(
    marketer_client, marketer, segment, now_done, django_assert_max_num_queries
):
    for _number in range(3):
        ordered(segment, marketer)
    with django_assert_max_num_queries(12) as few:
        marketer_client.get(LIST)
    for _number in range(20):
        ordered(segment, marketer)
    with django_assert_max_num_queries(len(few)):
        marketer_client.get(LIST)
    with django_assert_max_num_queries(12):
        marketer_client.get(at("change", now_done.pk))
    with django_assert_max_num_queries(8):
        marketer_client.get(at("progress", now_done.pk))
    with django_assert_max_num_queries(12):
        marketer_client.get(at("new", segment.pk))
