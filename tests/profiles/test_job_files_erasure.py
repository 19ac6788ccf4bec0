"""Files of faults: an erased person leaves them, whatever else lies there."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from profiles import csv_cells, job_claims, job_files, jobs
from profiles.models import ImportJob
from tests.profiles.import_jobs import started, uploaded

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(job_claims, "async_task", lambda *task: None)


def with_faults(job: ImportJob, content: bytes, *, rolled_back: bytes = b"") -> ImportJob:
    """Return the job with a file of faults, behind whose committed end lies what a dead worker left."""
    job_files.append_faults(job, content)
    job.save()
    with Path(job.error_file.path).open("ab") as target:
        target.write(rolled_back)
    return job


def left(job: ImportJob, *texts: str) -> bytes:
    """Return what is left of the faults when a person with these names is erased."""
    jobs.forget(workspace_id=job.workspace_id, texts=set(texts))
    job.refresh_from_db()
    return b"".join(job_files.faults(job))


def test_what_was_rolled_back_does_not_come_back_by_an_erasure(administrator):
    job = with_faults(started(administrator, b"x"), b"ada,1\nben,2\n", rolled_back=b"cleo,3\nda")
    assert left(job, "ada") == Path(job.error_file.path).read_bytes() == b"ben,2\n"


def test_file_that_names_nobody_who_is_erased_is_not_written_anew(administrator):
    job = with_faults(started(administrator, b"x"), b"ada,1\n", rolled_back=b"ben,2\n")
    path = Path(job.error_file.path)
    before = path.stat().st_ino
    assert left(job, "ben") == path.read_bytes() == b"ada,1\n"
    assert path.stat().st_ino == before


def test_name_across_two_pieces_of_a_file_is_found(administrator):
    filler = b"x\n" * (512 * 1024 - 1)
    assert left(with_faults(started(administrator, b"x"), filler + b"ada,1\n"), "ada") == filler


def test_file_that_is_written_anew_is_nobody_elses_to_read(administrator):
    job = with_faults(started(administrator, b"x"), b"ada,1\nben,2\n")
    assert left(job, "ada") == b"ben,2\n"
    assert Path(job.error_file.path).stat().st_mode & 0o077 == 0


def test_row_that_cannot_be_read_again_keeps_nobody_from_being_erased(administrator):
    huge = b"x" * 200_000 + b",1\n"
    assert left(with_faults(started(administrator, b"x"), huge + b"ada,1\nben,2\n"), "ada") == b"ben,2\n"


def test_quotes_hide_nobody(administrator):
    job = with_faults(started(administrator, b"x"), b'"the ""boss""",1\nben,2\n')
    assert left(job, 'the "boss"') == b"ben,2\n"


def test_line_that_is_no_json_hides_nobody(administrator):
    job = uploaded(administrator, b"x", kind=ImportJob.Kind.EVENTS)
    broken = orjson.dumps({"line": '{"distinct_id": "the \\"boss\\"", '}) + b"\n"
    assert (
        left(with_faults(job, broken + b'{"distinct_id":"ben"}\n'), 'the "boss"')
        == b'{"distinct_id":"ben"}\n'
    )


def test_name_that_begins_like_a_formula_is_found(administrator):
    faults = csv_cells.line(["+4930", "x"]) + csv_cells.line(["@a|-b", "y"]) + csv_cells.line(["ben", "z"])
    assert left(with_faults(started(administrator, b"x"), faults.encode()), "+4930", "@a") == b"ben,z\n"
