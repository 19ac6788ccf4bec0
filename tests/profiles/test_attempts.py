"""A transaction that others get in the way of is done again, and never half."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, OperationalError

from profiles import attempts
from profiles.models import EventName

pytestmark = pytest.mark.django_db


def deadlock() -> OperationalError:
    error = OperationalError()
    error.__cause__ = psycopg.errors.DeadlockDetected()
    return error


@pytest.mark.parametrize("met", [IntegrityError(), attempts.OutdatedError(), deadlock()])
def test_work_is_done_again_from_its_beginning_until_it_stands(workspace, met):
    tries = []

    def work() -> str:
        tries.append(EventName.objects.create(workspace=workspace, kind="custom", name=f"try {len(tries)}"))
        if len(tries) < attempts.MAX_ATTEMPTS:
            raise met
        return "done"

    assert attempts.run(work) == "done"
    assert list(EventName.objects.values_list("name", flat=True)) == [f"try {attempts.MAX_ATTEMPTS - 1}"]


def test_last_attempts_are_made_alone(db):
    done = []

    def work() -> None:
        done.append("work")
        raise IntegrityError

    with pytest.raises(OperationalError):
        attempts.run(work, alone=lambda: done.append("alone"))
    assert done == ["work", "work", *["alone", "work"] * 3]


def test_who_is_never_first_is_told_that_it_is_passing(workspace):
    def work() -> None:
        EventName.objects.create(workspace=workspace, kind="custom", name="x")
        raise IntegrityError

    with pytest.raises(OperationalError, match="met other writers") as caught:
        attempts.run(work)
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert not EventName.objects.exists()


@pytest.mark.parametrize("error", [OperationalError("away"), ValueError()])
def test_other_errors_are_not_tried_again(db, error):
    tries = []

    def work() -> None:
        tries.append(error)
        raise error

    with pytest.raises(type(error)):
        attempts.run(work)
    assert len(tries) == 1
