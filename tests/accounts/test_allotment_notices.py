"""Mails about allotments: once per period and share, however often and wherever it is checked; late, but never lost."""

from __future__ import annotations

import smtplib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail as django_mail
from django_q.models import Schedule

from accounts import allotment_notices, mail, usage
from accounts.allotment_notices import RETRY_AFTER
from accounts.models import Allotment, AllotmentNotice, DataPointUsage, Membership

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 11, 15, tzinfo=UTC)
TODAY, LATER = NOW.date(), NOW + timedelta(minutes=15)


@pytest.fixture
def allotment(workspace, administrator) -> Allotment:
    return Allotment.objects.create(workspace=workspace, data_points=1_000, starts_on=date(2026, 3, 1))


def use(workspace, count: int, day: date = TODAY) -> None:
    source = DataPointUsage.Source.CSV
    usage.record(workspace_id=workspace.pk, source=source, day=day, count=count, shard_key=0)


def subjects(now: datetime = NOW) -> list[str]:
    """Check, and return the subjects of the mails that went out."""
    django_mail.outbox.clear()
    allotment_notices.tell(now=now)
    return [message.subject for message in django_mail.outbox]


def test_each_share_is_mailed_once(workspace, allotment):
    told = []
    for count in (499, 1, 0, 299, 1, 0, 199, 1, 500):
        use(workspace, count)
        told.append(subjects())
    shares = [[subject.split(": ")[1].split("%")[0] for subject in at_once] for at_once in told]
    assert shares == [[], ["50"], [], [], ["80"], [], [], ["100"], []]


def test_only_the_highest_share_is_mailed_when_several_are_passed_at_once(workspace, allotment):
    use(workspace, 2_000)
    assert subjects() == ["Default: 100% of the data points are used"]
    assert subjects(LATER) == []


def test_the_next_period_is_told_of_anew(workspace, allotment):
    use(workspace, 500)
    assert len(subjects()) == 1
    april = NOW + timedelta(days=30)
    assert subjects(april) == []
    use(workspace, 500, day=april.date())
    assert len(subjects(april)) == 1


def test_mail_says_how_it_stands_that_nothing_stops_and_how_to_have_no_more(workspace, allotment, settings):
    settings.PUBLIC_URL = "https://rollcall.example"
    use(workspace, 600)
    subjects()
    (message,) = django_mail.outbox
    assert message.to == ["administrator@staff.example"]
    text = " ".join(message.body.split())
    assert "has used 600 of the 1,000 data points of its allotment until March 31, 2026." in text
    assert "imports go on as before" in text
    assert "https://rollcall.example/admin/data-points/" in text
    assert "https://rollcall.example/admin/notifications/" in text


def test_others_are_told_nothing(workspace, other_workspace, allotment, stranger, marketer):
    Membership.objects.filter(user=marketer).update(gets_mail=False)
    use(other_workspace, 10_000)
    assert subjects() == []
    use(workspace, 600)
    subjects()
    assert [message.to for message in django_mail.outbox] == [["administrator@staff.example"]]


def test_what_the_mail_server_refused_is_tried_again(workspace, allotment, monkeypatch, caplog):
    use(workspace, 600)

    def fail(**_mail):
        raise smtplib.SMTPRecipientsRefused({"administrator@staff.example": (550, b"no")})

    with monkeypatch.context() as broken:
        broken.setattr(mail, "tell", fail)
        assert subjects() == []
    assert "staff.example" not in caplog.text
    assert AllotmentNotice.objects.get().sent_at is None
    assert subjects(NOW + RETRY_AFTER) == []  # it may still be on its way
    assert len(subjects(LATER)) == 1
    assert AllotmentNotice.objects.get().sent_at == LATER
    assert subjects(LATER + 2 * RETRY_AFTER) == []


def test_one_server_that_fails_does_not_keep_the_other_workspaces_waiting(
    workspace, other_workspace, allotment, stranger, monkeypatch
):
    Allotment.objects.create(workspace=other_workspace, data_points=10, starts_on=date(2026, 3, 1))
    use(workspace, 600)
    use(other_workspace, 6)
    tell = mail.tell

    def fail_for_the_first(**about):
        if about["workspace"] == workspace:
            raise ConnectionRefusedError
        return tell(**about)

    monkeypatch.setattr(mail, "tell", fail_for_the_first)
    assert subjects() == ["Elsewhere: 50% of the data points are used"]


def test_two_checks_at_once_send_one_mail(workspace, allotment, monkeypatch):
    """The second check runs while the first one's mails are on their way."""
    use(workspace, 600)
    tell, depth = mail.tell, []

    def check_meanwhile(**about):
        if not depth:
            depth.append(1)
            assert allotment_notices.tell(now=NOW + timedelta(seconds=1)) == 0
        return tell(**about)

    monkeypatch.setattr(mail, "tell", check_meanwhile)
    assert len(subjects()) == 1


def test_it_is_checked_every_quarter_of_an_hour():
    schedule = Schedule.objects.get(func="accounts.tasks.tell_of_allotments")
    assert (schedule.schedule_type, schedule.minutes) == (Schedule.MINUTES, 15)
