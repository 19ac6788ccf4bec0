"""Everybody at once, on PostgreSQL: nothing is lost, nothing comes twice, and nobody is told of a deadlock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.models import Integration, Workspace
from cohorts import imports, moves
from cohorts.imports import Change
from cohorts.models import Cohort, CohortSync
from cohorts.syncs import Export
from profiles import erasure, identity, tracking
from profiles.identifiers import of_members
from profiles.identity_names import Name, alias, external_id
from profiles.models import CustomEvent, Identifier, Profile
from tests.cohorts.factories import members_of
from tests.profiles.factories import ProfileFactory
from tests.profiles.identities import BY_KEY, keys_of
from tests.reliability.clients import GIVE_UP_SECONDS, together

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

ROUNDS = 12
LABEL = "mixpanel_distinct_id"


def at_once(*jobs: Callable[[], Any]) -> None:
    """Run jobs in threads of their own, each with its own connection."""

    def closing(job: Callable[[], Any]) -> None:
        try:
            job()
        finally:
            connection.close()

    together([partial(closing, job) for job in jobs])


def named(name: str) -> Name:
    return alias(label=LABEL, name=name)


def identify(workspace: Workspace, name: str, wanted: str) -> None:
    identity.identify(
        workspace_id=workspace.pk, pairs=[(named(name), wanted)], author=BY_KEY, now=timezone.now()
    )


def merge(workspace: Workspace, merged: Name, kept: Name) -> None:
    identity.merge(workspace_id=workspace.pk, pairs=[(merged, kept)], author=BY_KEY, now=timezone.now())


def track(workspace: Workspace, **user: Any) -> None:
    """Track an attribute that counts, and an event, of a user: both must be kept."""
    event = user | {"name": "opened", "time": timezone.now().isoformat()}
    body = {"attributes": [user | {"visits": {"inc": 1}}], "events": [event]}
    result = tracking.track(workspace_id=workspace.pk, body=body, now=timezone.now())
    assert not result.refusals


def by_alias(name: str) -> dict[str, Any]:
    return {"user_alias": {"alias_label": LABEL, "alias_name": name}}


def add_to_cohort(integration: Integration, name: str) -> None:
    export = Export("c", CohortSync.Action.CHANGES)
    changes = [Change(of_members([{LABEL: name}]))]
    imports.apply(integration=integration, export=export, changes=changes, digest=b"", now=timezone.now())


def live(external_id: str) -> Profile:
    return Profile.objects.live().get(external_id=external_id)


def test_whoever_is_tracked_while_being_identified_loses_nothing(workspace):
    for number in range(ROUNDS):
        name, wanted = f"x{number}", f"ann-{number}"
        ProfileFactory.create(anonymous=True, aliases=[(LABEL, name)])
        at_once(
            partial(identify, workspace, name, wanted),
            partial(track, workspace, **by_alias(name)),
            partial(track, workspace, external_id=wanted),
            partial(track, workspace, **by_alias(name)),
        )
        ann = live(wanted)
        assert keys_of(ann) == {f"e:{wanted}", f"a:{LABEL}:{name}"}
        assert CustomEvent.objects.get(profile=ann).count == 3
    assert Profile.objects.live().count() == ROUNDS
    # What both had stays as the kept one has it; of two counters, one is kept.
    assert CustomEvent.objects.aggregate(all=Sum("count"))["all"] == 3 * ROUNDS


def test_of_two_merges_that_cross_one_is_done(workspace):
    for number in range(ROUNDS):
        a, b = (ProfileFactory.create(aliases=[(LABEL, f"{it}{number}")]) for it in "ab")
        names = [external_id(it.external_id or "") for it in (a, b)]
        at_once(partial(merge, workspace, *names), partial(merge, workspace, *reversed(names)))
        (kept,) = Profile.objects.live().filter(pk__in=[a.pk, b.pk])
        aliases = {f"a:{LABEL}:a{number}", f"a:{LABEL}:b{number}"}
        assert keys_of(kept) == aliases | {f"e:{kept.external_id}"}


def test_merges_of_many_in_any_order_end_in_one(workspace):
    people = [ProfileFactory.create(external_id=f"p{number}", devices=[f"d{number}"]) for number in range(8)]
    pairs = [(external_id(f"p{number}"), external_id(f"p{number + 1}")) for number in range(7)]
    at_once(*(partial(merge, workspace, *pair) for pair in pairs))
    kept = Profile.objects.live()
    keys = Identifier.objects.filter(key__startswith="i:").values_list("key", "profile")
    assert {key for key, _owner in keys} == {f"i:d{number}" for number in range(8)}
    assert {owner for _key, owner in keys} <= {it.pk for it in kept}
    assert people[-1] in kept


def test_a_member_that_is_merged_while_a_page_names_it_stays_a_member(workspace):
    integration = Integration.objects.create(workspace=workspace, partner="mixpanel")
    expected = set()
    for number in range(ROUNDS):
        kept = ProfileFactory.create(external_id=f"kept-{number}")
        ProfileFactory.create(anonymous=True, aliases=[(LABEL, f"m{number}")])
        at_once(
            partial(merge, workspace, named(f"m{number}"), external_id(f"kept-{number}")),
            partial(add_to_cohort, integration, f"m{number}"),
            partial(add_to_cohort, integration, f"m{number}"),
        )
        expected.add(kept.pk)
        assert members_of(Cohort.objects.get()) == expected


def wait_until_somebody_waits() -> None:
    """Return when another transaction waits for an advisory lock that this one holds."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def interrupted(function: Callable[..., Any], reached: threading.Event) -> Callable[..., Any]:
    """Return a function that, once called, says so and goes on when somebody waits for this transaction."""

    def work(*args: Any, **more: Any) -> Any:
        if not reached.is_set():
            reached.set()
            wait_until_somebody_waits()
        return function(*args, **more)

    return work


@pytest.fixture
def integration(workspace) -> Integration:
    ProfileFactory.create(external_id="kept")
    ProfileFactory.create(anonymous=True, aliases=[(LABEL, "m")])
    return Integration.objects.create(workspace=workspace, partner="mixpanel")


def test_a_merge_waits_for_the_page_that_is_being_kept(workspace, integration, monkeypatch):
    kept = threading.Event()
    monkeypatch.setattr(moves, "check", interrupted(moves.check, kept))

    def merge_then() -> None:
        assert kept.wait(GIVE_UP_SECONDS)
        merge(workspace, named("m"), external_id("kept"))

    at_once(partial(add_to_cohort, integration, "m"), merge_then)
    assert members_of(Cohort.objects.get()) == {live("kept").pk}


def test_a_page_that_was_matched_waits_for_the_merge_and_is_matched_again(
    workspace, integration, monkeypatch
):
    moving = threading.Event()
    work = interrupted(moves._with_unfinished_full_syncs, moving)
    monkeypatch.setattr(moves, "_with_unfinished_full_syncs", work)

    def add_then() -> None:
        assert moving.wait(GIVE_UP_SECONDS)
        add_to_cohort(integration, "m")

    at_once(partial(merge, workspace, named("m"), external_id("kept")), add_then)
    assert members_of(Cohort.objects.get()) == {live("kept").pk}


def test_whoever_is_tracked_while_being_erased_is_somebody_new_or_nobody(workspace):
    for number in range(ROUNDS):
        name = f"p{number}"
        gone = ProfileFactory.create(external_id=name)
        erase = partial(
            erasure.erase,
            workspace_id=workspace.pk,
            names=[external_id(name)],
            author=BY_KEY,
            now=timezone.now(),
        )
        at_once(
            erase, partial(track, workspace, external_id=name), partial(track, workspace, external_id=name)
        )
        gone.refresh_from_db()
        assert gone.deleted_at is not None or live(name) == gone
        if gone.deleted_at is not None:
            assert (gone.external_id, gone.custom_attributes, gone.email) == (None, {}, "")
            assert not CustomEvent.objects.filter(profile=gone).exists()
            assert keys_of(gone) == set()
    assert Profile.objects.live().exclude(external_id=None).count() <= ROUNDS
