"""Audience > Imports: who may do what, and what the pages say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from profiles import job_claims, job_files, tasks
from profiles.models import ImportJob, Profile
from tests.profiles.factories import ProfileFactory
from tests.profiles.import_jobs import NOW, started, uploaded

pytestmark = pytest.mark.django_db
PEOPLE = b"External ID;E-Mail;plan;visits\nu1;ada@example.com;pro;7\nnull;nobody@example.com;free;1\n"
LIST = reverse("admin:profiles_importjob_changelist")
CSV = ImportJob.Kind.CSV


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


def at(name: str, *args) -> str:
    return reverse(f"admin:profiles_importjob_{name}", args=args)


def mapping(*targets: str, **more: str) -> dict[str, str]:
    """Return what the form of columns sends."""
    sent = {"count": str(len(targets)), "encoding": "utf-8", "delimiter": ";", "step": "import", **more}
    for index, target in enumerate(targets):
        chosen, colon, name = target.partition(":")
        sent[f"target-{index}"], sent[f"name-{index}"] = chosen + colon, name
    return sent


PLAIN = mapping("external_id", "email", "custom:plan", "custom:visits")


def run(job: ImportJob) -> ImportJob:
    tasks.run_import(job.pk)
    job.refresh_from_db()
    return job


# --- who may -------------------------------------------------------------------------------------------------
def test_administrator_uploads_maps_imports_and_reads_the_faults(administrator_client, administrator):
    sent = SimpleUploadedFile("people.csv", PEOPLE)
    answer = administrator_client.post(at("upload", "csv"), {"file": sent})
    job = ImportJob.objects.get()
    assert (answer.status_code, answer.url) == (302, at("columns", job.pk))
    assert (job.file_name, job.created_by, job_files.uploaded_bytes(job)) == (
        *("people.csv", administrator),
        len(PEOPLE),
    )
    page = administrator_client.get(answer.url)
    assert page.context["chosen"].targets == ["external_id", "email", "custom:plan", "custom:visits"]
    assert (page.context["chosen"].form.delimiter, page.context["chosen"].fault) == (";", "")
    assert "stands for nobody" in page.content.decode()
    assert administrator_client.post(answer.url, PLAIN).url == at("change", job.pk)
    run(job)
    assert {name: job.counts[name] for name in ("rows", "created", "failed")} == {
        "rows": 2,
        "created": 1,
        "failed": 1,
    }
    ada = Profile.objects.get(external_id="u1")
    assert (ada.email, ada.custom_attributes) == ("ada@example.com", {"plan": "pro", "visits": 7})
    download = administrator_client.get(at("faults", job.pk))
    assert b"".join(download.streaming_content).decode().splitlines()[1].endswith('nobody"')
    assert download["Content-Disposition"] == f'attachment; filename="import-{job.pk}-errors.csv"'
    assert (download["X-Content-Type-Options"], download["Content-Type"]) == (
        "nosniff",
        "text/csv; charset=utf-8",
    )


def addresses(job: ImportJob) -> list[tuple[str, str]]:
    """Return every page that changes something or shows rows, with the method it is asked by."""
    steps = [("post", at("step", job.pk, name)) for name in ("pause", "resume", "cancel")]
    pages = [("post", at("piece", job.pk)), ("get", at("columns", job.pk)), ("post", at("start", job.pk))]
    return [*pages, *steps, ("get", at("faults", job.pk))]


def test_marketer_looks_and_imports_nothing(marketer_client, administrator):
    job = run(started(administrator, b"external_id\nu1\nnull\n"))
    assert "people.csv" in marketer_client.get(LIST).content.decode()
    page = marketer_client.get(at("change", job.pk)).content.decode()
    assert "New users" in page
    assert "Download rows at fault" not in page
    assert marketer_client.get(at("progress", job.pk)).status_code == 200
    uploads = [("get", at("upload", "csv")), ("post", at("upload", "csv")), ("post", at("begin", "csv"))]
    for method, address in [*addresses(job), *uploads]:
        assert getattr(marketer_client, method)(address).status_code == 403, address


def test_stranger_finds_no_import_of_another_workspace(stranger_client, administrator):
    job = run(started(administrator, b"external_id\nu1\nnull\n"))
    assert "people.csv" not in stranger_client.get(LIST).content.decode()
    for method, address in [*addresses(job), ("get", at("progress", job.pk))]:
        assert getattr(stranger_client, method)(address).status_code == 404, address
    assert stranger_client.get(at("change", job.pk)).status_code == 302


# --- the upload ----------------------------------------------------------------------------------------------
def test_file_comes_in_pieces_and_a_repeated_piece_changes_nothing(administrator_client):
    begun = administrator_client.post(at("begin", "csv"), {"name": "people.csv", "size": "6"})
    assert begun.status_code == 201
    pieces, job = begun.json()["pieces"], ImportJob.objects.get()

    def send(offset: int | str, content: bytes):
        return administrator_client.post(
            f"{pieces}?offset={offset}", content, content_type="application/octet-stream"
        )

    assert send(0, b"abc").json() == {"bytes": 3}
    assert send(0, b"abc").json() == {"bytes": 3}
    refused = send(4, b"x")
    assert (refused.status_code, refused.json()["bytes"]) == (409, 3)
    assert send(3, b"defg").status_code == send("x", b"def").status_code == send(-1, b"a").status_code == 409
    assert send(3, b"def").json() == {"bytes": 6}
    with job.file.open("rb") as kept:
        assert kept.read() == b"abcdef"
    assert begun.json()["next"] == at("columns", job.pk)


@pytest.mark.parametrize(
    ("size", "reason"),
    [("0", "empty"), ("", "empty"), ("-1", "empty"), ("11", "limit"), ("9" * 5_000, "limit")],
)
def test_file_of_a_wrong_size_is_refused_before_it_is_sent(administrator_client, settings, size, reason):
    settings.MAX_UPLOAD_BYTES = 10
    answer = administrator_client.post(at("begin", "csv"), {"name": "people.csv", "size": size})
    assert answer.status_code == 422
    assert reason in answer.json()["message"]
    assert not ImportJob.objects.exists()


def test_form_without_a_file_says_so(administrator_client):
    answer = administrator_client.post(at("upload", "csv"), {})
    assert answer.status_code == 422
    assert "Choose a file." in answer.content.decode()


def test_piece_that_is_too_large_is_refused(administrator_client, administrator, monkeypatch):
    monkeypatch.setattr("profiles.admin_imports_views.MAX_PIECE", 4)
    job = uploaded(administrator, b"abcdef")
    answer = administrator_client.post(
        at("piece", job.pk) + "?offset=0", b"12345", content_type="application/octet-stream"
    )
    assert answer.status_code == 413


def test_kind_of_file_that_is_not_known_has_no_page(administrator_client):
    assert administrator_client.get("/admin/profiles/importjob/new/xml/").status_code == 404


# --- the columns ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (mapping("", "email", "custom:plan", ""), "One column must be the external ID"),
        (mapping("external_id", "custom:a", "custom:a", ""), "Only one column can be each of these: a."),
        (mapping("external_id", "alias:", "", ""), "Every alias needs a label"),
        (mapping("external_id", "custom:email", "", ""), "is a standard attribute"),
        (mapping("external_id", "profiles_profile", "", ""), "Every alias needs a label"),
        (mapping("external_id", "custom:" + "x" * 256, "", ""), "at most 255"),
    ],
)
def test_mapping_at_fault_says_why_and_starts_nothing(administrator_client, administrator, sent, reason):
    job = uploaded(administrator, PEOPLE)
    answer = administrator_client.post(at("columns", job.pk), sent)
    assert answer.status_code == 422
    assert reason in answer.context["chosen"].fault
    job.refresh_from_db()
    assert job.status == "draft"


def test_another_delimiter_shows_other_columns(administrator_client, administrator):
    job = uploaded(administrator, PEOPLE)
    answer = administrator_client.post(at("columns", job.pk), {**PLAIN, "delimiter": ",", "step": ""})
    assert [line.column.name for line in answer.context["chosen"].lines] == ["External ID;E-Mail;plan;visits"]


def test_nothing_starts_with_columns_that_nobody_saw(administrator_client, administrator):
    job = uploaded(administrator, b"external_id|a,b|c\nu1|1,2|3\n")
    sent = mapping("external_id", "custom:b", delimiter="|")
    answer = administrator_client.post(at("columns", job.pk), sent)
    assert [line.column.name for line in answer.context["chosen"].lines] == ["external_id", "a,b", "c"]
    job.refresh_from_db()
    assert job.status == "draft"


def test_as_many_columns_as_are_allowed_can_be_mapped(administrator_client, administrator):
    names = ["external_id", *(f"c{number}" for number in range(999))]
    job = uploaded(administrator, f"{','.join(names)}\nu1{',x' * 999}\n".encode())
    targets = ["external_id", *(f"custom:{name}" for name in names[1:])]
    administrator_client.post(at("columns", job.pk), mapping(*targets, delimiter=","))
    assert run(job).counts["created"] == 1
    assert len(Profile.objects.get().custom_attributes) == 999


def test_file_in_another_encoding_than_chosen_is_shown_all_the_same(administrator_client, administrator):
    job = uploaded(administrator, "external_id,caf\u00e9\nu1,\u00e9\n".encode("utf-16"))
    answer = administrator_client.post(at("columns", job.pk), {**PLAIN, "step": ""})
    assert answer.status_code == 200
    assert "\ufffd" in answer.content.decode()


def test_dry_run_writes_nothing_and_the_import_follows_with_the_same_columns(
    administrator_client, administrator
):
    ProfileFactory(external_id="u9", email="old@example.com")
    job = uploaded(administrator, b"id;mail\nu9;new@example.com\nu8;x\nu8;y\n")
    administrator_client.post(at("columns", job.pk), mapping("external_id", "email", step="dry_run"))
    run(job)
    assert (job.counts["created"], job.counts["updated"], job.status) == (1, 1, "draft")
    assert Profile.objects.get().email == "old@example.com"
    page = administrator_client.get(at("change", job.pk)).content.decode()
    assert "Dry run done" in page
    administrator_client.post(at("start", job.pk))
    run(job)
    assert (job.counts["created"], job.counts["updated"], job.status) == (1, 1, "complete")
    assert Profile.objects.get(external_id="u9").email == "new@example.com"


def test_file_that_is_no_csv_has_a_page_that_says_so(administrator_client, administrator):
    job = uploaded(administrator, b'"' + b"x" * 200_000)
    page = administrator_client.get(at("columns", job.pk))
    assert page.status_code == 200
    assert "not CSV" in page.context["chosen"].fault


# --- the page of one -----------------------------------------------------------------------------------------
def test_steps_that_come_too_late_say_so(administrator_client, administrator):
    job = run(started(administrator, b"external_id\nu1\n"))
    for name in ("pause", "resume", "cancel"):
        answer = administrator_client.post(at("step", job.pk, name), follow=True)
        assert "moved on meanwhile" in answer.content.decode()
    assert administrator_client.post(at("step", job.pk, "explode")).status_code == 404
    assert administrator_client.get(at("columns", job.pk)).url == at("change", job.pk)


def test_paused_import_is_resumed_by_hand(administrator_client, administrator):
    job = started(administrator, b"external_id\nu1\n")
    administrator_client.post(at("step", job.pk, "pause"))
    assert run(job).status == "paused"
    administrator_client.post(at("step", job.pk, "resume"))
    assert run(job).status == "complete"


def test_progress_says_how_far_and_how_fast(administrator_client, administrator):
    job = started(administrator, b"external_id\n" + b"u\n" * 50)
    ImportJob.objects.update(
        status="running", done_bytes=56, counts={"rows": 3000}, worked=timedelta(seconds=30), beat_at=NOW
    )
    answer = administrator_client.get(at("progress", job.pk)).json()
    assert (answer["percent"], answer["is_active"]) == (50, True)
    assert "100 rows per second, less than a minute left" in answer["parts"]["progress"]
    assert "3,000" in answer["parts"]["figures"]


def test_pages_cost_the_same_however_many_imports_there_are(
    administrator_client, administrator, django_assert_max_num_queries
):
    for _number in range(3):
        uploaded(administrator, b"external_id\nu1\n")
    with django_assert_max_num_queries(12) as few:
        administrator_client.get(LIST)
    for _number in range(20):
        uploaded(administrator, b"external_id\nu1\n")
    with django_assert_max_num_queries(len(few)):
        administrator_client.get(LIST)
