"""The administrator's journey: a file of users is uploaded, mapped, tried, imported, and its faults downloaded."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from profiles import jobs, tasks
from profiles.models import ImportJob, Profile
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.fitting import COVERED
from tests.profiles.import_jobs import NOW, started, uploaded

LIST = reverse("admin:profiles_importjob_changelist")
PEOPLE = """External ID;Ünique name;E-Mail;visits;active
u1;Ada;ada@example.com;7;true
u2;Bob;bob@example.com;007;false
null;Nobody;nobody@example.com;1;true
"""


@pytest.fixture(autouse=True)
def _folder(live_server, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "uploads")


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(PEOPLE.encode("cp1252"))
    return path


def send(page, file):
    page.goto(LIST)
    page.get_by_role("link", name="Import users (CSV)").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def figure(page, title):
    return page.locator(".rc-figure", has_text=title).locator("dd").first


def test_users_are_uploaded_mapped_tried_and_imported(
    page, sign_in, administrator, file, axe_clean, no_overflow
):
    sign_in(administrator)
    send(page, file)
    expect(page.get_by_label("Columns are separated by")).to_have_value(";")
    expect(page.get_by_label("Encoding")).to_have_value("cp1252")
    expect(page.locator(".im-preview .im-number")).to_have_text(["7"])
    expect(page.locator(".im-preview")).to_contain_text("007")
    expect(page.locator(".im-preview")).to_contain_text("stands for nobody")
    second = page.get_by_role("row", name="Ünique name").get_by_role("combobox")
    expect(second).to_have_value("custom:")
    second.select_option("first_name")
    expect(page.locator("[name=name-1]")).to_be_hidden()
    page.get_by_role("button", name="Try it: dry run").click()
    expect(page.get_by_text("Dry run", exact=True)).to_be_visible()
    tasks.run_import(ImportJob.objects.get().pk)
    expect(page.get_by_text("Dry run done")).to_be_visible()
    expect(figure(page, "New users")).to_have_text("2")
    assert not Profile.objects.exists()
    axe_clean(page)
    page.get_by_role("button", name="Import now").click()
    tasks.run_import(ImportJob.objects.get().pk)
    expect(page.get_by_text("Complete", exact=True)).to_be_visible()
    expect(figure(page, "At fault")).to_have_text("1")
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)
        no_overflow(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download rows at fault").click()
    with Path(download.value.path()).open(encoding="utf-8", newline="") as kept:
        assert [row[0] for row in csv.reader(kept)] == ["External ID", "null"]
    people = Profile.objects.order_by("external_id").values_list(
        "external_id", "first_name", "custom_attributes"
    )
    assert list(people) == [
        ("u1", "Ada", {"visits": 7, "active": True}),
        ("u2", "Bob", {"visits": "007", "active": False}),
    ]
    page.goto(LIST)
    assert page.evaluate(COVERED) == []
    row = page.get_by_role("row", name="people.csv")
    expect(row).to_contain_text("administrator")
    expect(row).to_contain_text("Complete")


def test_file_of_many_pieces_arrives_whole_although_the_connection_is_lost_in_between(
    page, sign_in, administrator, tmp_path, complaints
):
    sign_in(administrator)
    file = tmp_path / "large.csv"
    file.write_text("external_id\n" + "".join(f"user-{n:07}\n" for n in range(400_000)))
    lost = []

    def lose_one(route):
        if "offset=2097152" in route.request.url and not lost:
            lost.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/pieces/?offset=*", lose_one)
    send(page, file)
    expect(page.get_by_role("heading", name="Preview")).to_be_visible()
    job = ImportJob.objects.get()
    assert Path(job.file.path).read_bytes() == file.read_bytes()
    assert len(lost) == 1
    complaints.clear()  # of the request that was lost


def test_file_that_is_too_large_is_refused_where_it_was_chosen(
    page, sign_in, administrator, file, settings, complaints
):
    settings.MAX_UPLOAD_BYTES = 10
    sign_in(administrator)
    send(page, file)
    expect(page.get_by_role("alert")).to_contain_text("which is the limit")
    expect(page.get_by_role("button", name="Upload")).to_be_enabled()
    complaints.clear()  # the browser's own, of the answer 422


def test_page_follows_an_import_until_it_is_paused_and_resumed(page, sign_in, administrator):
    job = started(administrator, b"external_id\nu1\nu2\n")
    sign_in(administrator)
    page.goto(reverse("admin:profiles_importjob_change", args=[job.pk]))
    expect(page.get_by_text("Waiting", exact=True)).to_be_visible()
    ImportJob.objects.update(status="running", done_bytes=9, counts={"rows": 1, "created": 1})
    expect(page.get_by_text("Running", exact=True)).to_be_visible()
    expect(figure(page, "New users")).to_have_text("1")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused", exact=True)).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    ImportJob.objects.update(done_bytes=0, counts={})
    tasks.run_import(job.pk)
    expect(page.get_by_text("Complete", exact=True)).to_be_visible()
    expect(figure(page, "New users")).to_have_text("2")


@pytest.mark.parametrize(("language", "scheme", "size"), [("fr", "light", PHONE), ("de", "dark", DESKTOP)])
@pytest.mark.looks
def test_pages_of_imports_are_accessible_and_fit(
    language, scheme, size, page, sign_in, speak, administrator, axe_clean, no_overflow
):
    draft = uploaded(
        administrator, PEOPLE.encode(), file_name="a_file_with_a_name_without_any_break_" * 5 + ".csv"
    )
    done = started(administrator, b"external_id\nu1\nnull\n" + b"x" * 300 + b"\n")
    tasks.run_import(done.pk)
    paused = started(administrator, b"external_id\nu1\n")
    jobs.pause(job=paused, now=NOW)
    events = uploaded(administrator, b"{}\n", kind=ImportJob.Kind.EVENTS)
    addresses = [LIST, reverse("admin:profiles_importjob_columns", args=[draft.pk])]
    addresses += [reverse("admin:profiles_importjob_upload", args=[kind]) for kind in ("csv", "events")]
    shown = (draft, done, paused, events)
    addresses += [reverse("admin:profiles_importjob_change", args=[job.pk]) for job in shown]
    sign_in(administrator)
    speak(language)
    page.emulate_media(color_scheme=scheme)
    for address in addresses:
        page.set_viewport_size(size)
        assert page.goto(address).status == 200
        axe_clean(page)
        for other in (DESKTOP, PHONE):
            page.set_viewport_size(other)
            no_overflow(page)
