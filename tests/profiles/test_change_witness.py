"""The witness of the change marker is judged itself: it sees every write, and takes no record but the right one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.db.models import F

from profiles import changes
from profiles.models import CustomEvent, EventName, Identifier, Profile
from tests.profiles.factories import ProfileFactory

pytestmark = pytest.mark.django_db
Kind = changes.Kind
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def ann(workspace, marker_witness) -> Profile:
    """Somebody with a device and an event."""
    ann = ProfileFactory.create(external_id="ann", devices=["phone"])
    name = EventName.objects.create(workspace=workspace, kind="custom", name="bought")
    CustomEvent.objects.create(name=name, profile=ann, count=1, first_at=NOW, last_at=NOW)
    marker_witness.forget()
    return ann


def see(ann: Profile) -> None:
    """Make an event of another name."""
    name = EventName.objects.create(workspace_id=ann.workspace_id, kind="custom", name="seen")
    CustomEvent.objects.create(name=name, profile=ann, count=1, first_at=NOW, last_at=NOW)


WRITES = {
    "profile made": (Kind.EXISTENCE, lambda ann: Profile.objects.create(workspace_id=ann.workspace_id)),
    "profile erased": (Kind.EXISTENCE, lambda ann: Profile.objects.update(deleted_at=NOW)),
    "attribute written": (Kind.ATTRIBUTES, lambda ann: Profile.objects.update(home_city="Paris")),
    "custom attribute written": (
        Kind.ATTRIBUTES,
        lambda ann: Profile.objects.update(custom_attributes={"a": 1}),
    ),
    "identifier made": (
        Kind.ATTRIBUTES,
        lambda ann: Identifier.objects.create(workspace_id=ann.workspace_id, key="d:x", profile=ann),
    ),
    "identifier renamed": (
        Kind.ATTRIBUTES,
        lambda ann: Identifier.objects.filter(key="e:ann").update(key="e:a"),
    ),
    "identifier gone": (Kind.ATTRIBUTES, lambda ann: Identifier.objects.all().delete()),
    "event made": (Kind.EVENTS, see),
    "event counted": (Kind.EVENTS, lambda ann: CustomEvent.objects.update(count=F("count") + 1)),
    "event gone": (Kind.EVENTS, lambda ann: CustomEvent.objects.all().delete()),
}


@pytest.mark.parametrize("write", WRITES)
def test_every_write_is_seen(marker_witness, ann, write):
    kind, do = WRITES[write]
    with transaction.atomic():
        do(ann)
    assert {it.kind for it in marker_witness.forgotten()} == {kind}
    marker_witness.forget()


@pytest.mark.parametrize("model", [Identifier, CustomEvent])
def test_what_moves_concerns_both_profiles(marker_witness, ann, model):
    ben = ProfileFactory.create(external_id="ben")
    marker_witness.forget()
    with transaction.atomic():
        model.objects.filter(profile=ann).update(profile=ben)
    assert {it.profile_id for it in marker_witness.forgotten()} == {ann.pk, ben.pk}
    marker_witness.forget()


def recorded(ann: Profile, kind: Kind, **more) -> None:
    options = {"workspace_id": ann.workspace_id, "profile_ids": [ann.pk]} | more
    changes.record(kind=kind, **options)


@pytest.mark.parametrize(
    ("kind", "is_enough"), [(Kind.ATTRIBUTES, True), (Kind.EXISTENCE, True), (Kind.EVENTS, False)]
)
def test_record_of_its_kind_or_of_existence_is_enough(marker_witness, ann, kind, is_enough):
    with transaction.atomic():
        Profile.objects.update(home_city="Paris")
        recorded(ann, kind)
    assert (marker_witness.forgotten() == set()) is is_enough
    marker_witness.forget()


def test_record_of_attributes_does_not_tell_that_somebody_is_gone(marker_witness, ann):
    with transaction.atomic():
        Profile.objects.update(deleted_at=NOW)
        recorded(ann, Kind.ATTRIBUTES)
    assert {it.profile_id for it in marker_witness.forgotten()} == {ann.pk}
    marker_witness.forget()


def test_record_of_somebody_else_is_not_enough(marker_witness, ann, other_workspace):
    with transaction.atomic():
        Profile.objects.update(home_city="Paris")
        recorded(ann, Kind.ATTRIBUTES, profile_ids=[ann.pk + 1])
        recorded(ann, Kind.ATTRIBUTES, workspace_id=other_workspace.pk)
    assert {it.profile_id for it in marker_witness.forgotten()} == {ann.pk}
    marker_witness.forget()


def test_record_of_another_transaction_is_not_enough(marker_witness, ann):
    with transaction.atomic():
        Profile.objects.update(home_city="Paris")
    with transaction.atomic():
        recorded(ann, Kind.ATTRIBUTES)
    assert {it.profile_id for it in marker_witness.forgotten()} == {ann.pk}
    marker_witness.forget()


def test_inner_block_belongs_to_the_transaction_around_it(marker_witness, ann):
    with transaction.atomic():
        with transaction.atomic():
            Profile.objects.update(home_city="Paris")
        recorded(ann, Kind.ATTRIBUTES)
    assert marker_witness.forgotten() == set()


def test_what_is_rolled_back_needs_no_record(marker_witness, ann):
    with transaction.atomic():
        Profile.objects.update(home_city="Paris")
        transaction.set_rollback(True)
    assert marker_witness.writes() == set()


def test_writing_what_was_there_already_is_no_change(marker_witness, ann):
    with transaction.atomic():
        Profile.objects.update(home_city="", changed_at=NOW)
    assert marker_witness.writes() == set()


def test_path_that_writes_nothing_or_outside_a_transaction_proves_nothing(marker_witness, ann):
    with pytest.raises(AssertionError, match="nothing was written"), marker_witness.watching():
        pass
    with pytest.raises(AssertionError, match="outside"), marker_witness.watching():
        Profile.objects.update(home_city="Paris")


@pytest.mark.django_db(transaction=True)
def test_witness_sees_transactions_that_are_committed_too(marker_witness, workspace):
    with transaction.atomic():
        made = Profile.objects.create(workspace=workspace)
    assert {it.profile_id for it in marker_witness.forgotten()} == {made.pk}
    marker_witness.forget()


def test_witness_costs_no_test_a_query(workspace, django_assert_num_queries):
    with django_assert_num_queries(2), transaction.atomic():  # a savepoint, and its release
        pass
