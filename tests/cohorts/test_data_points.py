"""Whatever writes to profiles counts its data points in its own transaction; imports side by side count exactly."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pyroaring import BitMap

from accounts import usage
from accounts.models import DataPointUsage, Workspace
from cohorts import membership
from cohorts.membership import Page
from cohorts.models import Cohort, CohortDelta
from profiles import csv_import, event_import
from profiles.models import CustomEvent, Profile
from tests.cohorts.factories import NO_TALLY, CohortFactory, CohortSyncFactory
from tests.profiles.event_data import exported
from tests.profiles.factories import make_people
from tests.profiles.open_transactions import open_transaction
from tests.profiles.trackers import tracker_of

pytestmark = pytest.mark.django_db
Source = DataPointUsage.Source


def counted(source: str) -> int:
    return sum(DataPointUsage.objects.filter(source=source).values_list("count", flat=True))


def import_members(cohort: Cohort, ids: list[int]) -> None:
    """Import one page as `cohorts/imports.py` does, and fold it. The caller owns the transaction."""
    now = timezone.now()
    locked = membership.lock(
        workspace_id=cohort.workspace_id,
        partner=cohort.partner,
        partner_cohort_id=cohort.partner_cohort_id,
    )
    assert locked is not None
    membership.append(
        cohort=locked,
        sync=CohortSyncFactory.create(cohort=locked),
        kind=CohortDelta.Kind.ADDED,
        members=BitMap(ids),
        page=Page(number=1, digest=b"", tally=NO_TALLY),
        now=now,
    )
    membership.compact(cohort=locked)


# --- what each source writes, and how many of it there are ---------------------------------------------------
def send_cohort(workspace: Workspace) -> None:
    cohort, *_ = Cohort.objects.all() or [CohortFactory.create()]
    with transaction.atomic():
        import_members(cohort, list(Profile.objects.values_list("pk", flat=True)))


def track(workspace: Workspace) -> None:
    tracker_of(workspace)({"external_id": "new", "first_name": "Kim", "plan": "pro"})


def import_file(workspace: Workspace) -> None:
    source = io.BytesIO(b"external_id,first_name,plan\nnew,Kim,pro\n")
    list(csv_import.run(workspace_id=workspace.pk, source=source, rejected=io.StringIO()))


def import_events(workspace: Workspace) -> None:
    event_import.receive(workspace_id=workspace.pk, values=[exported()], now=timezone.now())


class NotCountedError(Exception):
    """What the counting raises here."""


def fail(**_points) -> None:
    raise NotCountedError


def folded() -> int:
    return Cohort.objects.filter(snapshot_sequence__gt=0).count()


SOURCES = [
    (Source.PARTNER_COHORTS, send_cohort, folded, 1),
    (Source.TRACKING_API, track, Profile.objects.filter(external_id="new").count, 2),
    (Source.CSV, import_file, Profile.objects.filter(external_id="new").count, 2),
    (Source.EVENTS, import_events, CustomEvent.objects.count, 1),
]


@pytest.mark.parametrize(("source", "write", "written", "points"), SOURCES)
def test_a_change_and_its_data_points_are_one_transaction(
    source, write: Callable[[Any], None], written, points, workspace, monkeypatch
):
    make_people(workspace, ["ann"])
    with monkeypatch.context() as broken:
        broken.setattr(usage, "record", fail)
        with pytest.raises(NotCountedError):
            write(workspace)
    assert (written(), counted(source)) == (0, 0)
    write(workspace)
    assert (written(), counted(source)) == (1, points)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_imports_of_two_cohorts_do_not_wait_for_each_other_and_count_exactly(workspace):
    ids = list(make_people(workspace, ["ann", "ben", "cleo"]).values())
    first = CohortFactory.create()
    second = CohortFactory.create(pk=first.pk + usage.SHARDS)  # whose first choice is the same row
    with open_transaction(lambda: import_members(first, ids)), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        import_members(second, ids[:2])
    assert counted(Source.PARTNER_COHORTS) == 5
    assert DataPointUsage.objects.count() == 2
