"""What the queue is told of an import that broke off, it keeps and logs: nobody may be named there."""

from __future__ import annotations

import logging
import traceback

import pytest
from django.db import IntegrityError

from profiles import job_claims, tasks
from profiles.attempts import ContendedError
from profiles.models import ImportJob
from tests.profiles.import_jobs import started

pytestmark = pytest.mark.django_db
DETAIL = "DETAIL: Key (workspace_id, key)=(1, e:kim-4711) already exists."


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


def breaks_off(**_job) -> None:
    raise IntegrityError(DETAIL)


def meets_others(**_job) -> None:
    raise ContendedError("5 attempts met other writers.") from IntegrityError(DETAIL)


@pytest.mark.parametrize(("runner", "status"), [("breaks_off", "failed"), ("meets_others", "running")])
def test_import_that_breaks_off_names_nobody(administrator, monkeypatch, caplog, runner, status):
    monkeypatch.setitem(tasks.RUNNERS, ImportJob.Kind.CSV, f"{__name__}.{runner}")
    job = started(administrator, b"external_id\nkim-4711\n")
    caplog.set_level(logging.DEBUG)
    with pytest.raises(tasks.BrokenOffError) as caught:
        tasks.run_import(job.pk)
    job.refresh_from_db()
    kept = "".join(traceback.format_exception(caught.value)) + job.last_error
    assert (job.status, "kim-4711" in kept, "Error" in str(caught.value)) == (status, False, True)
    assert [record.msg["event"] for record in caplog.records if "import" in record.name] == [
        "import_broke_off"
    ]
