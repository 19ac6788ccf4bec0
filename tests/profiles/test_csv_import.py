import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from accounts.models import Workspace
from profiles import changes, csv_import, csv_staging, locks, matching, universe
from profiles.csv_import import Progress
from profiles.models import Identifier, Profile, ProfileChange
from tests.profiles.factories import ProfileFactory
from tests.profiles.questions import changed_since

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def load(workspace, text: str) -> tuple[Progress, list[str]]:
    """Import a text; return how it went and the reasons of the rows at fault."""
    rejected = io.StringIO()
    source = io.BytesIO(text.encode())
    *_, progress = csv_import.run(workspace_id=workspace.pk, source=source, rejected=rejected)
    rows = list(csv.DictReader(io.StringIO(rejected.getvalue())))
    return progress, [row["import_error"] for row in rows]


def counts(progress: Progress) -> tuple[int, int, int, int]:
    return progress.created, progress.updated, progress.unchanged, progress.failed


def keys_of(profile: Profile) -> set[str]:
    return set(Identifier.objects.filter(profile=profile).values_list("key", flat=True))


FILE = """external_id,email,first_name,last_name,phone,country,language,time_zone,alias:crm,device_id,plan,visits
u1,u1@example.com,Ada,Lovelace,+33612345678,FR,fr,Europe/Paris,c1,d1|d2,pro,7
,,,,,DE,,,,d3,,
,,,,,,,,c4,,free,
"""


def test_profiles_are_made_with_all_that_their_rows_say(workspace):
    progress, faults = load(workspace, FILE)
    assert (counts(progress), faults) == ((3, 0, 0, 0), [])
    ada = Profile.objects.get(external_id="u1")
    assert (ada.workspace, ada.email, ada.first_name, ada.last_name) == (
        *(workspace, "u1@example.com", "Ada", "Lovelace"),
    )
    assert (ada.phone, ada.country, ada.language, ada.time_zone) == (
        "+33612345678",
        "FR",
        "fr",
        "Europe/Paris",
    )
    assert ada.custom_attributes == {"plan": "pro", "visits": 7}
    assert keys_of(ada) == {"e:u1", "a:crm:c1", "i:d1", "i:d2"}


def test_row_without_external_id_makes_an_anonymous_profile_that_its_device_matches(workspace):
    load(workspace, FILE)
    found = matching.lookup(workspace_id=workspace.pk, keys=["d:d3", "a:crm:c4", "d:d1"])
    assert set(found) == {"d:d3", "a:crm:c4"}
    assert Profile.objects.get(id=found["d:d3"]).external_id is None


def test_importing_again_changes_nothing(workspace):
    load(workspace, FILE)
    before = list(Profile.objects.order_by("id").values())
    progress, _ = load(workspace, FILE)
    assert counts(progress) == (0, 0, 3, 0)
    assert list(Profile.objects.order_by("id").values()) == before


def test_blank_cell_leaves_the_value_as_it_is_and_custom_attributes_are_merged(workspace):
    load(workspace, FILE)
    progress, _ = load(workspace, "external_id,email,country,plan,city\nu1,,IT,,Rome\n")
    assert counts(progress) == (0, 1, 0, 0)
    ada = Profile.objects.get(external_id="u1")
    assert (ada.email, ada.country) == ("u1@example.com", "IT")
    assert ada.custom_attributes == {"plan": "pro", "visits": 7, "city": "Rome"}


def test_profile_written_by_the_admin_counts_as_unchanged_if_it_is(workspace):
    ProfileFactory(external_id="u1", email="a@example.com", custom_attributes={"b": 1, "a": {"c": "é"}})
    progress, _ = load(workspace, "external_id,email,b\nu1,a@example.com,1\n")
    assert counts(progress) == (0, 0, 1, 0)


def test_change_marker_moves_with_every_profile_written_and_with_no_other(workspace):
    load(workspace, FILE)
    Profile.objects.update(changed_at=LONG_AGO)
    ProfileChange.objects.all().delete()
    load(workspace, "external_id,country,device_id\nu1,IT,\n,FR,d9\n,,d3\n")
    written = Profile.objects.exclude(changed_at=LONG_AGO)
    assert {profile.country for profile in written} == {"IT", "FR"}
    assert changed_since(workspace, changes.as_of()) == {profile.pk for profile in written}
    assert len(universe.live(workspace_id=workspace.pk)) == 4


def test_new_identifier_alone_counts_as_an_update(workspace):
    load(workspace, FILE)
    progress, _ = load(workspace, "external_id,alias:crm,device_id\nu1,c9,d9\n")
    assert counts(progress) == (0, 1, 0, 0)
    assert keys_of(Profile.objects.get(external_id="u1")) >= {"a:crm:c9", "i:d9"}


def test_later_row_of_the_same_profile_wins(workspace):
    progress, _ = load(
        workspace, "external_id,email,country,device_id\nu1,old,FR,d1\nu1,new,,d2\n,x,,d7\n,y,,d7\n"
    )
    assert counts(progress) == (2, 0, 0, 0)
    profile = Profile.objects.get(external_id="u1")
    assert (profile.email, profile.country) == ("new", "FR")
    assert keys_of(profile) == {"e:u1", "i:d1", "i:d2"}


def test_alias_reaches_its_profile_identified_or_not(workspace):
    load(workspace, FILE)
    load(workspace, "alias:crm,country,device_id\nc1,ES,d8\nc4,PT,d9\n")
    assert Profile.objects.get(external_id="u1").country == "ES"
    found = matching.lookup(workspace_id=workspace.pk, keys=["i:d8", "d:d9"])
    assert len(found) == 2


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("u2,c1,", "the alias crm:c1 belongs to another profile"),
        ("u2,,d1", "the device d1 belongs to an identified profile"),
        ("u2,,d3", "the device d3 belongs to another profile"),
        (",,d1", "the device d1 belongs to an identified profile: name its external_id"),
        (",c4,d3", "the device d3 belongs to another profile"),
        ("u1,c4,", "the alias crm:c4 belongs to another profile"),
    ],
)
def test_identifier_of_another_profile_is_a_fault_and_the_rest_is_imported(workspace, row, reason):
    load(workspace, FILE)
    before = set(Identifier.objects.values_list("key", "profile"))
    progress, faults = load(workspace, f"external_id,alias:crm,device_id\n{row}\nu3,,\n")
    assert counts(progress) == (1, 0, 0, 1)
    assert len(faults) == 1
    assert faults[0].startswith("line 2: ")
    assert reason in faults[0]
    new = Profile.objects.get(external_id="u3")
    assert set(Identifier.objects.values_list("key", "profile")) == before | {("e:u3", new.pk)}


def test_conflict_inside_the_file_is_found_too(workspace):
    progress, faults = load(workspace, "external_id,alias:crm\nu1,c1\nu2,c1\n")
    assert counts(progress) == (1, 0, 0, 1)
    assert "line 3: the alias crm:c1" in faults[0]


def test_rows_at_fault_are_written_as_they_came_in_the_order_of_the_file(workspace):
    rejected = io.StringIO()
    text = b'external_id,note\nnull,"a\nb"\nu1,ok\nu2\n,\xff\n'
    list(csv_import.run(workspace_id=workspace.pk, source=io.BytesIO(text), rejected=rejected))
    rows = list(csv.reader(io.StringIO(rejected.getvalue())))
    assert rows[0] == ["external_id", "note", "import_error"]
    assert [row[:2] for row in rows[1:]] == [["null", "a\nb"], ["u2", ""], ["", "\udcff"]]


def test_another_workspace_has_the_same_identifiers_for_itself(workspace, other_workspace):
    load(workspace, FILE)
    progress, _ = load(other_workspace, FILE)
    assert counts(progress) == (3, 0, 0, 0)
    assert Profile.objects.filter(external_id="u1").count() == 2


def test_ids_of_profiles_made_before_and_after_do_not_meet(workspace):
    before = ProfileFactory()
    load(workspace, FILE)
    after = ProfileFactory()
    imported = set(Profile.objects.exclude(id__in=[before.pk, after.pk]).values_list("id", flat=True))
    assert len(imported) == 3
    assert before.pk < min(imported)
    assert max(imported) < after.pk


def test_batches_come_one_after_another_and_are_counted_together(workspace, monkeypatch):
    monkeypatch.setattr(csv_import, "BATCH_ROWS", 2)
    text = "external_id\n" + "".join(f"u{n}\n" for n in range(5))
    source = io.BytesIO(text.encode())
    steps = [
        (step.rows, step.created, step.bytes_read)
        for step in csv_import.run(workspace_id=workspace.pk, source=source, rejected=io.StringIO())
    ]
    assert [step[:2] for step in steps] == [(2, 2), (4, 4), (5, 5)]
    assert steps[-1][2] == len(text)


@pytest.mark.parametrize("rows", [1, 300])
def test_batch_costs_the_same_number_of_queries_whatever_its_size(
    workspace, rows, django_assert_max_num_queries
):
    text = "external_id,device_id\n" + "".join(f"u{n},d{n}\n" for n in range(rows))
    with django_assert_max_num_queries(9):
        load(workspace, text)


def test_batch_is_done_again_when_somebody_else_took_an_identifier_meanwhile(workspace, monkeypatch):
    """The loser of the race finds the winner's profile and updates it: one profile, not two."""
    insert, attempts = csv_staging.insert_identifiers, []

    def lose_the_first_race(**rows):
        if len(attempts) == 1:
            raise IntegrityError
        insert(**rows)

    def begin(_lock, *, workspace_id: int):
        attempts.append(workspace_id)
        if len(attempts) == 2:  # by now the winner has committed
            ProfileFactory(external_id="u1", email="")

    monkeypatch.setattr(locks, "alone", begin)
    monkeypatch.setattr(csv_staging, "insert_identifiers", lose_the_first_race)
    progress, _ = load(workspace, "external_id,email\nu1,mine@example.com\n")
    assert counts(progress) == (0, 1, 0, 0)
    assert Profile.objects.get(external_id="u1").email == "mine@example.com"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_make_each_profile_once(monkeypatch):
    monkeypatch.setattr(csv_import, "BATCH_ROWS", 100)
    workspace = Workspace.objects.get(slug="default")
    text = "external_id,device_id\n" + "".join(f"u{n},d{n}\n" for n in range(1_000))

    def load_and_hang_up() -> int:
        try:
            return load(workspace, text)[0].created
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        created = [made.result() for made in [pool.submit(load_and_hang_up) for _ in range(2)]]
    assert sum(created) == Profile.objects.count() == 1_000
    assert Identifier.objects.count() == 2_000


# --- the command ---------------------------------------------------------------------------------------------
def test_command_says_how_the_rows_fared_and_where_the_faults_are(workspace, tmp_path, capsys):
    file = tmp_path / "people.csv"
    file.write_text("external_id,email\nu1,a\nnull,b\n")
    call_command("import_profiles", str(file), "--workspace", "default")
    told = capsys.readouterr()
    assert "2 rows: 1 profiles created, 0 updated, 0 unchanged, 1 rows at fault." in told.out
    assert str(tmp_path / "people.errors.csv") in told.out
    assert "null" in (tmp_path / "people.errors.csv").read_text()
    assert "people.csv" in told.err


def test_corrected_errors_file_can_be_imported_as_it_is(workspace, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("external_id,email\nnull,b\n")
    call_command("import_profiles", str(file), "--workspace", "default")
    errors = tmp_path / "people.errors.csv"
    errors.write_text(errors.read_text().replace("null", "u2", 1))
    call_command("import_profiles", str(errors), "--workspace", "default")
    assert Profile.objects.get(external_id="u2").custom_attributes == {}


def test_no_errors_file_stays_when_there_are_no_errors(workspace, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("external_id\nu1\n")
    call_command("import_profiles", str(file), "--workspace", "default")
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


@pytest.mark.parametrize(
    ("name", "slug", "reason"),
    [
        ("people.csv", "nowhere", "no workspace “nowhere”"),
        ("nothing.csv", "default", "nothing.csv"),
        ("bad.csv", "default", "must name external_id"),
    ],
)
def test_command_refuses_what_it_cannot_import(workspace, tmp_path, name, slug, reason):
    (tmp_path / "people.csv").write_text("external_id\nu1\n")
    (tmp_path / "bad.csv").write_text("email\na\n")
    with pytest.raises(CommandError, match=reason):
        call_command("import_profiles", str(tmp_path / name), "--workspace", slug)
    assert not Profile.objects.exists()
    assert not (tmp_path / "bad.errors.csv").exists()
