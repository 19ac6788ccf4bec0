"""Files of imports: private, whole, and without those who were erased."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from profiles import job_files, jobs
from profiles.job_files import UploadError
from profiles.models import ImportJob
from tests.profiles.import_jobs import NOW, started, uploaded

pytestmark = pytest.mark.django_db
EVENTS = ImportJob.Kind.EVENTS


@pytest.fixture(autouse=True)
def _folder(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)


def with_faults(job: ImportJob, faults: bytes) -> ImportJob:
    job_files.append_faults(job, faults)
    job.save()
    return job


def kept(job: ImportJob) -> bytes:
    job.refresh_from_db()
    return b"".join(job_files.faults(job))


def test_files_have_names_that_say_nothing_and_nobody_else_may_read_them(administrator):
    job = with_faults(uploaded(administrator, b"abc", file_name="secret.csv"), b"fault\n")
    for path in (Path(job.file.path), Path(job.error_file.path)):
        assert "secret" not in str(path)
        assert path.stat().st_mode & 0o077 == 0


def test_piece_is_refused_when_the_import_has_begun(administrator):
    job = started(administrator, b"abc")
    with pytest.raises(UploadError, match="moved on"):
        job_files.append(job=job, offset=0, piece=b"xyz")


@pytest.mark.parametrize("step", ["start", "cancel"])
def test_piece_that_was_on_its_way_when_the_import_moved_on_is_refused(administrator, step):
    job = uploaded(administrator, b"abc")
    meanwhile = ImportJob.objects.get()
    more = {"options": {}} if step == "start" else {}
    getattr(jobs, step)(job=meanwhile, now=NOW, **more)
    with pytest.raises(UploadError, match="moved on"):
        job_files.append(job=job, offset=0, piece=b"xyz")
    assert Path(job.file.path).read_bytes() == b"abc"


def test_full_disk_is_told_and_not_taken_for_success(administrator, monkeypatch):
    job = uploaded(administrator, b"abc")

    def full(*_arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(UploadError, match="No space left"):
        job_files.append(job=job, offset=0, piece=b"abc")


def test_of_a_file_that_is_gone_nothing_is_here(administrator):
    job = uploaded(administrator, b"abc")
    Path(job.file.path).unlink()
    assert job_files.uploaded_bytes(job) == 0
    with pytest.raises(UploadError, match="could not be kept"):
        job_files.append(job=job, offset=0, piece=b"abc")


def test_file_that_was_lost_is_not_imported(administrator):
    job = uploaded(administrator, b"abc")
    Path(job.file.path).unlink()
    with pytest.raises(UploadError, match="upload it again"):
        jobs.start(job=job, options={}, now=NOW)


def test_faults_stop_at_their_limit(administrator, monkeypatch):
    monkeypatch.setattr(job_files, "MAX_FAULT_BYTES", 10)
    job = with_faults(with_faults(uploaded(administrator, b"abc"), b"123456\n"), b"789012\n")
    assert kept(job) == b"123456\n"


@pytest.mark.parametrize(
    ("row", "is_kept"),
    [
        (b"ada,x,reason\n", False),
        (b'"x\ny","ada",reason\n', False),
        (b"x|ada,y,reason\n", False),
        (b'"says ""hi""",y,reason\n', False),
        (b"adam,x,reason\n", True),
        (b'"x\nada",y,reason\n', True),
        (b"\xff,x,reason\n", True),
    ],
)
def test_rows_of_an_erased_person_go_and_no_others(administrator, row, is_kept):
    before, after = b"id,note,import_error\nu1,x,reason\n", b"u2,x,reason\n"
    job = with_faults(uploaded(administrator, b"abc"), before + row + after)
    jobs.forget(workspace_id=job.workspace_id, texts=["ada", 'says "hi"'])
    assert kept(job) == before + (row if is_kept else b"") + after


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        (b'{"properties":{"distinct_id":"ada"}}\n', False),
        (b'{"properties":{"distinct_id": "$device:ada", "x": 1}}\n', False),
        (b'{"properties":{"distinct_id":4711}}\n', False),
        (b'{"properties":{"distinct_id":"z\\u00f6e"}}\n', False),
        ('{"properties":{"distinct_id":"zöe"}}\n'.encode(), False),
        (b'{"line":"{\\"distinct_id\\": \\"ada\\", broken","import_error":"x"}\n', False),
        (b'{"properties":{"distinct_id":"adam"}}\n', True),
        (b'{"properties":{"distinct_id":"x", "time": 47110}}\n', True),
    ],
)
def test_lines_of_an_erased_person_go_and_no_others(administrator, line, is_kept):
    job = with_faults(uploaded(administrator, b"abc", kind=EVENTS), b'{"a":"b"}\n' + line + b'{"c":"d"}\n')
    jobs.forget(workspace_id=job.workspace_id, texts=["ada", "4711", "zöe"])
    assert kept(job) == b'{"a":"b"}\n' + (line if is_kept else b"") + b'{"c":"d"}\n'


def test_nothing_is_forgotten_for_nobody(administrator):
    job = with_faults(uploaded(administrator, b"abc", kind=EVENTS), b'{"a":""}\n')
    jobs.forget(workspace_id=job.workspace_id, texts=[])
    assert kept(job) == b'{"a":""}\n'
