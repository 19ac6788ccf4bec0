"""People are erased while a page of their cohort is on its way: neither brings the other to naught."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.models import Integration
from cohorts import imports, syncs
from cohorts.imports import Change
from cohorts.models import CohortSync
from cohorts.syncs import Export
from profiles import erasure
from profiles.identifiers import of_external_ids
from profiles.identity import Author
from profiles.identity_names import external_id
from tests.profiles.factories import make_people

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


def in_thread(job: Callable[[], object]) -> threading.Thread:
    def closing() -> None:
        try:
            job()
        finally:
            connection.close()

    thread = threading.Thread(target=closing)
    thread.start()
    return thread


def wait_until_somebody_waits(*, unless: threading.Thread) -> None:
    """Return when a connection waits for a lock, or the thread has ended."""
    waiting = 0
    while unless.is_alive() and not waiting:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            (waiting,) = cursor.fetchone()


def test_page_on_its_way_does_not_bring_an_erased_person_back_into_the_sample(workspace, monkeypatch):
    integration = Integration.objects.create(workspace=workspace, partner="mixpanel")

    def send(name: str, page: int) -> None:
        export = Export("c", CohortSync.Action.ADD_MEMBERS, session_id="s", page=page, total_pages=9)
        changes, digest = [Change(of_external_ids([name]))], imports.digest_of(name.encode())
        imports.apply(integration=integration, export=export, changes=changes, digest=digest, now=NOW)

    send("ben", 1)
    make_people(workspace, ["ben"])
    note_page, has_read, may_write = syncs.note_page, threading.Event(), threading.Event()

    def slowly(**page) -> None:
        has_read.set()
        assert may_write.wait(30)
        note_page(**page)

    monkeypatch.setattr(syncs, "note_page", slowly)
    page = in_thread(lambda: send("zoe", 2))
    assert has_read.wait(30)
    names, author = [external_id("ben")], Author()
    erasing = in_thread(lambda: erasure.erase(workspace_id=workspace.pk, names=names, author=author, now=NOW))
    wait_until_somebody_waits(unless=erasing)
    may_write.set()
    page.join()
    erasing.join()
    assert [it["identifier"] for it in CohortSync.objects.get().unmatched_sample] == ["zoe"]
