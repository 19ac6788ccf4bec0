"""People are erased everywhere: afterwards no table and no file of the project holds who they were."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from profiles import erasure, events, matching, universe
from profiles.events import Occurrence
from profiles.identity import Author
from profiles.identity_names import alias, device, email, external_id, profile
from profiles.models import CustomEvent, ImportJob, Profile
from tests.accounts.factories import WorkspaceFactory
from tests.cohorts.factories import CohortFactory, CohortSyncFactory, hold, members_of
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import BY_KEY, NOW, keys_of

pytestmark = pytest.mark.django_db

SECRETS = (
    "zz-external",
    "zz-alias",
    "zz-device",
    "zz@mail.example",
    "+4900112233",
    "Zzfirst",
    "Zzlast",
    "zz-custom",
)


@pytest.fixture
def zoe() -> Profile:
    person = ProfileFactory.create(
        external_id="zz-external",
        email="zz@mail.example",
        phone="+4900112233",
        first_name="Zzfirst",
        last_name="Zzlast",
        home_city="zz-custom",
        custom_attributes={"secret": ["zz-custom"]},
        push_tokens=[{"app_id": "a", "token": "zz-custom"}],
        aliases=[("crm", "zz-alias")],
        devices=["zz-device"],
    )
    happened = [Occurrence(person.pk, "custom", "signed_up", "", NOW)]
    events.record(workspace_id=person.workspace_id, occurrences=happened, now=NOW)
    return person


def erase(person: Profile, *names) -> int:
    found = erasure.erase(workspace_id=person.workspace_id, names=names, author=BY_KEY, now=NOW)
    return len(set(found.values()))


def everything(folder: Path) -> str:
    """Return all that the database and the folder of files hold, as one text."""
    texts = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            texts += [str(value) for row in cursor.fetchall() for value in row]
    texts += [path.read_text() for path in folder.rglob("*") if path.is_file()]
    return "\n".join(texts)


def test_nothing_in_any_table_or_file_names_the_person_any_more(
    zoe, workspace, administrator, settings, tmp_path
):
    settings.MEDIA_ROOT = tmp_path
    samples = [*SECRETS[:5], "crm:zz-alias", "$device:zz-device", "somebody-else"]
    CohortSyncFactory.create(unmatched_sample=[{"identifier": it, "reason": "unknown"} for it in samples])
    hold(workspace, [[f"e:{samples[0]}"], ["e:x", "a:crm:zz-alias"], ["d:zz-device"], ["e:zz@mail.example"]])
    rows = "external_id,age,reason\nzz-external,x,bad\nsomebody-else,x,bad\n"
    job = ImportJob.objects.create(
        workspace=workspace, kind="csv", status="complete", file_name="f.csv", created_at=NOW
    )
    job.error_bytes = len(rows)
    job.error_file.save("errors.csv", ContentFile(rows))
    LogEntry.objects.create(
        user=administrator,
        content_type=ContentType.objects.get_for_model(Profile),
        object_id=str(zoe.pk),
        object_repr=str(zoe),
        action_flag=CHANGE,
    )
    before = everything(tmp_path)
    assert [secret for secret in SECRETS if secret not in before] == []
    assert erase(zoe, external_id("zz-external")) == 1
    after = everything(tmp_path)
    assert [secret for secret in SECRETS if secret in after] == []
    assert after.count("somebody-else") == 2


def test_the_row_stays_empty_and_its_id_is_nobody_elses(zoe):
    erase(zoe, external_id("zz-external"))
    zoe.refresh_from_db()
    assert (zoe.deleted_at, zoe.external_id, zoe.custom_attributes) == (NOW, None, {})
    assert keys_of(zoe) == set()
    assert not CustomEvent.objects.filter(profile=zoe).exists()
    assert ProfileFactory.create(external_id="zz-external").pk != zoe.pk


@pytest.mark.parametrize(
    "name",
    [
        alias(label="crm", name="zz-alias"),
        device("zz-device"),
        email("zz@mail.example"),
        external_id("zz-external"),
    ],
    ids=lambda name: name.kind,
)
def test_any_name_erases(zoe, name):
    assert erase(zoe, name) == 1
    assert not Profile.objects.live().exists()


def test_a_person_with_two_names_is_erased_once(zoe):
    assert erase(zoe, external_id("zz-external"), profile(zoe.pk), external_id("nobody-here")) == 1
    assert erase(zoe, external_id("zz-external"), profile(zoe.pk)) == 0


def test_the_audit_log_says_that_and_no_more(zoe, administrator):
    erasure.erase(
        workspace_id=zoe.workspace_id, names=[profile(zoe.pk)], author=Author(administrator), now=NOW
    )
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.detail) == ("user_erased", f"user {zoe.pk}", {})
    assert (entry.actor, entry.actor_key) == (administrator, "")


def test_an_erased_person_leaves_every_cohort_and_the_universe_at_once(zoe, workspace):
    cohort = CohortFactory.create(members=[zoe])
    assert members_of(cohort) == {zoe.pk}
    erase(zoe, profile(zoe.pk))
    assert members_of(cohort) == set()
    assert zoe.pk not in universe.live(workspace_id=workspace.pk)
    assert matching.lookup(workspace_id=workspace.pk, keys=["e:zz-external", "i:zz-device"]) == {}


def test_a_stranger_erases_nobody_here(zoe):
    elsewhere = WorkspaceFactory.create()
    names = [external_id("zz-external"), profile(zoe.pk), email("zz@mail.example")]
    assert erasure.erase(workspace_id=elsewhere.pk, names=names, author=BY_KEY, now=NOW) == {}
    zoe.refresh_from_db()
    assert zoe.deleted_at is None


def test_samples_of_other_workspaces_stay(zoe):
    theirs = CohortFactory.create(workspace=WorkspaceFactory.create())
    sample = [{"identifier": "zz-external", "reason": "unknown"}]
    sync = CohortSyncFactory.create(
        cohort=theirs, unmatched_sample=sample, started_at=datetime.now(UTC) - timedelta(days=1)
    )
    erase(zoe, external_id("zz-external"))
    sync.refresh_from_db()
    assert sync.unmatched_sample == sample


def test_fifty_people_cost_as_many_queries_as_one(workspace):
    people = [ProfileFactory.create(external_id=f"p{number}", devices=[f"v{number}"]) for number in range(52)]
    cohort = CohortFactory.create(members=people)
    for person in people:
        sample = [{"identifier": person.email, "reason": "unknown"}]
        CohortSyncFactory.create(cohort=cohort, unmatched_sample=sample)

    def cost(*wanted: Profile) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert erase(people[0], *(profile(person.pk) for person in wanted)) == len(wanted)
        return len(captured)

    cost(people[0])  # the first one of a process looks up more
    assert cost(people[1]) == cost(*people[2:])
