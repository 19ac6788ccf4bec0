"""What a batch may do, all attributes there are, and the data points they are."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import DataPointUsage, Workspace
from profiles import attempts, csv_import, csv_merge, statements
from profiles.csv_merge import Mode
from profiles.models import Identifier, Profile, ProfileChange
from tests.profiles.factories import ProfileFactory
from tests.profiles.import_jobs import NOW, Clock

pytestmark = pytest.mark.django_db
UPDATE_ONLY, DRY_RUN = Mode(update_only=True), Mode(is_dry_run=True)


def load(workspace, text: str, mode: Mode = csv_merge.CREATE_AND_UPDATE) -> dict[str, int]:
    """Import a text; return the counts that are not zero."""
    steps = csv_import.run(
        workspace_id=workspace.pk,
        source=io.BytesIO(text.encode()),
        rejected=io.StringIO(),
        mode=mode,
        clock=Clock(),
    )
    *_, done = steps
    return {name: count for name, count in vars(done).items() if count and name not in {"rows", "bytes_read"}}


def everything() -> list:
    """Return all that an import could have written."""
    models = (Profile, Identifier, DataPointUsage, ProfileChange)
    return [sorted(map(str, model.objects.values_list())) for model in models]


# --- attributes ----------------------------------------------------------------------------------------------
STANDARD = {
    "home_city": "Paris",
    "gender": "F",
    "dob": "1990-12-31",
    "email_subscribe": "opted_in",
    "push_subscribe": "unsubscribed",
    "date_of_first_session": "2026-01-31T09:30:00+01:00",
    "date_of_last_session": "2026-02-01",
    "push_tokens": '[{"app_id": "a", "token": "t", "more": "dropped"}]',
}


def row_of(values: dict[str, str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([["external_id", *values], ["u1", *values.values()]])
    return text.getvalue()


def test_every_standard_attribute_is_read_checked_and_written(workspace):
    assert load(workspace, row_of(STANDARD)) == {"created": 1}
    ada = Profile.objects.get()
    assert (ada.home_city, ada.gender, ada.date_of_birth) == ("Paris", "F", date(1990, 12, 31))
    assert (ada.email_subscribe, ada.push_subscribe) == ("opted_in", "unsubscribed")
    assert ada.first_session_at == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
    assert ada.last_session_at == datetime(2026, 2, 1, tzinfo=UTC)
    assert ada.push_tokens == [{"app_id": "a", "token": "t"}]


def test_every_standard_attribute_is_compared_with_what_is_there(workspace):
    load(workspace, row_of(STANDARD))
    assert load(workspace, row_of(STANDARD)) == {"unchanged": 1}
    others = {
        "home_city": "Rome",
        "gender": "O",
        "dob": "1990-12-30",
        "email_subscribe": "subscribed",
        "push_subscribe": "subscribed",
        "date_of_first_session": "2026-01-31T08:30:00.5Z",
        "date_of_last_session": "2026-02-02",
        "push_tokens": "[]",
    }
    for name, value in others.items():
        assert load(workspace, row_of({name: value})) == {"updated": 1}, name
        assert load(workspace, row_of({name: value})) == {"unchanged": 1}, name


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("dob", "31.12.1990", "dob must be a date, like 1990-12-31"),
        ("gender", "female", "gender must be one of"),
        ("email_subscribe", "yes", "email_subscribe must be one of"),
        ("date_of_last_session", "yesterday", "must be a time in ISO 8601"),
        ("push_tokens", "[", "push_tokens must be an array"),
        ("push_tokens", '[{"token": "t"}]', "must be an object with app_id and token"),
    ],
)
def test_value_that_is_none_is_a_fault_of_its_row_only(workspace, name, value, reason):
    rejected = io.StringIO()
    text = row_of({name: value}) + "u2,\n"
    source = io.BytesIO(text.encode())
    list(csv_import.run(workspace_id=workspace.pk, source=source, rejected=rejected))
    assert reason in rejected.getvalue()
    assert Profile.objects.get().external_id == "u2"


# --- what may be done ----------------------------------------------------------------------------------------
def test_update_only_creates_nobody(workspace):
    ProfileFactory(external_id="u1", email="old")
    text = "external_id,email,device_id\nu1,new,d1\nu2,x,d2\n,y,d2\n"
    assert load(workspace, text, UPDATE_ONLY) == {"updated": 1, "skipped": 2}
    assert Profile.objects.get().email == "new"
    assert not Identifier.objects.filter(key="d:d2").exists()


def test_dry_run_counts_as_the_import_does_and_writes_nothing(workspace):
    ProfileFactory(external_id="u1", email="old", devices=["d1"])
    ProfileFactory(external_id="u3", email="same")
    text = "external_id,email,device_id\nu1,new,d9\nu2,x,\nu3,same,\nu4,y,d1\nnull,z,\n"
    before = everything()
    told = load(workspace, text, DRY_RUN)
    assert everything() == before
    assert told == {"created": 1, "updated": 1, "unchanged": 1, "failed": 2}
    assert load(workspace, text) == told


def test_data_points_are_the_attributes_of_those_who_changed(workspace):
    points = lambda: sum(DataPointUsage.objects.filter(source="csv").values_list("count", flat=True))  # noqa: E731
    load(workspace, "external_id,email,plan,visits\nu1,a,pro,7\nu2,,free,\n")
    assert points() == 4
    load(workspace, "external_id,email,plan\nu1,a,pro\nu2,,plus\n")
    assert points() == 5


@given(
    rows=st.lists(
        st.tuples(*(st.sampled_from(["", "1", "2", "3"]) for _ in range(3)), st.sampled_from(["", "x", "y"])),
        max_size=12,
    ),
    size=st.integers(1, 5),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_rows_have_the_same_effect_in_batches_of_any_size(workspace, monkeypatch, rows, size):
    text = "external_id,device_id,alias:crm,city\n" + "".join(",".join(row) + "\n" for row in rows)

    def outcome(batch_rows: int) -> list:
        Identifier.objects.all().delete()
        Profile.objects.all().delete()
        monkeypatch.setattr(csv_import, "BATCH_ROWS", batch_rows)
        list(
            csv_import.run(
                workspace_id=workspace.pk, source=io.BytesIO(text.encode()), rejected=io.StringIO()
            )
        )
        people = Profile.objects.prefetch_related("identifiers")
        return sorted(
            (sorted(it.key for it in one.identifiers.all()), sorted(one.custom_attributes.items()))
            for one in people
        )

    assert outcome(1_000) == outcome(size)


def test_batch_is_done_again_when_somebody_found_was_erased_meanwhile(workspace, monkeypatch):
    ada = ProfileFactory(external_id="u1")
    lock = statements.lock_profiles

    def erased_meanwhile(**asked):
        if Profile.objects.live().exists():
            Identifier.objects.all().delete()
            Profile.objects.update(deleted_at=NOW)
            raise attempts.OutdatedError if not lock(**asked) else AssertionError
        return lock(**asked)

    monkeypatch.setattr(statements, "lock_profiles", erased_meanwhile)
    with pytest.raises(attempts.ContendedError):
        load(workspace, "external_id\nu1\n")
    assert Profile.objects.get() == ada


# --- the command ---------------------------------------------------------------------------------------------
def test_command_finds_out_the_format_and_may_be_told_to_try_only(workspace, tmp_path, capsys):
    file = tmp_path / "people.csv"
    file.write_bytes("external_id;city\nu1;Zürich\n".encode("cp1252"))
    call_command("import_profiles", str(file), "--workspace", "default", "--dry-run")
    assert "Nothing was written. It would be: 1 rows: 1 profiles created" in capsys.readouterr().out
    assert not Profile.objects.exists()
    call_command("import_profiles", str(file), "--workspace", "default", "--update-only")
    assert "0 profiles created, 0 updated, 0 unchanged, 1 not here" in capsys.readouterr().out
    call_command("import_profiles", str(file), "--workspace", "default")
    assert Profile.objects.get(workspace=Workspace.objects.get(slug="default")).custom_attributes == {
        "city": "Zürich"
    }
