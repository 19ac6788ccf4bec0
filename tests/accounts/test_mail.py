"""Who gets a mail, in which language, and what happens if the server does not take it."""

import pytest

from accounts import mail
from accounts.models import Membership
from tests.accounts.factories import UserFactory, make_marketer

pytestmark = pytest.mark.django_db
SERVERS = "tests.accounts.mail_servers"
LINE = {"cohort": {"name": "Lapsed"}, "partner": "Mixpanel", "url": "/x", "heard_at": None}


def tell(workspace) -> int:
    context = {"count": 1, "lines": [LINE], "more": 0, "url": "/all"}
    return mail.tell(workspace=workspace, about="cohorts_recovered", context=context)


def addresses(mailoutbox) -> list[str]:
    return [message.to[0] for message in mailoutbox]


def test_only_staff_of_the_workspace_who_want_mail_get_it(workspace, other_workspace, mailoutbox):
    for name, more in {
        "wanting": {},
        "without": {"email": ""},
        "left": {"is_active": False},
        "outside": {"is_staff": False},
    }.items():
        make_marketer(workspace, username=name, **more)
    make_marketer(other_workspace, username="stranger")
    UserFactory.create(username="operator", operator=True)
    Membership.objects.filter(user=make_marketer(workspace, username="weary")).update(gets_mail=False)
    assert tell(workspace) == 1
    assert addresses(mailoutbox) == ["wanting@staff.example"]


def test_nobody_to_tell_is_no_fault(workspace, settings):
    settings.EMAIL_BACKEND = f"{SERVERS}.Unreachable"
    assert tell(workspace) == 0


def test_each_reader_gets_their_own_language_and_the_way_out(workspace, mailoutbox, settings):
    settings.PUBLIC_URL, settings.LANGUAGE_CODE = "https://rollcall.example.com", "fr"
    make_marketer(workspace, language="en")
    make_marketer(workspace, language="")
    tell(workspace)
    english, unknown = mailoutbox
    assert "A sync came again" in english.body
    assert unknown.body.count("https://rollcall.example.com/admin/notifications/") == 1
    assert english.body.count("https://rollcall.example.com/admin/notifications/") == 1
    assert english.extra_headers == {"Auto-Submitted": "auto-generated"}


def test_subject_is_one_line_whatever_a_cohort_is_called(workspace, mailoutbox):
    make_marketer(workspace)
    line = {**LINE, "cohort": {"name": "Lapsed\r\nBcc: everybody@example.com & <b>"}}
    mail.tell(
        workspace=workspace,
        about="cohorts_recovered",
        context={"count": 1, "lines": [line], "more": 0, "url": ""},
    )
    (message,) = mailoutbox
    assert (
        message.subject == "The cohort “Lapsed Bcc: everybody@example.com & <b>” is updated again (Default)"
    )


def test_server_that_is_away_is_the_callers_to_try_again(workspace, settings, mailoutbox):
    make_marketer(workspace)
    settings.EMAIL_BACKEND = f"{SERVERS}.Unreachable"
    with pytest.raises(ConnectionRefusedError):
        tell(workspace)
    assert mailoutbox == []


@pytest.mark.parametrize("first", ["gone", "busy", "spam", "full", "odd"])
def test_address_that_is_refused_keeps_nobody_else_from_their_mail(workspace, settings, mailoutbox, first):
    settings.EMAIL_BACKEND = f"{SERVERS}.Refusing"
    for name in (first, "here"):
        make_marketer(workspace, email=f"{name}@staff.example")
    assert tell(workspace) == 1
    assert addresses(mailoutbox) == ["here@staff.example"]


@pytest.mark.parametrize(("for_ever", "for_now"), [("gone", "busy"), ("spam", "full"), ("odd", "full")])
def test_refused_for_ever_is_not_tried_again_refused_for_now_is(workspace, settings, for_ever, for_now):
    settings.EMAIL_BACKEND = f"{SERVERS}.Refusing"
    make_marketer(workspace, email=f"{for_ever}@staff.example")
    assert tell(workspace) == 0
    make_marketer(workspace, email=f"{for_now}@staff.example")
    with pytest.raises(OSError, match=r"45[02]"):
        tell(workspace)


def test_nobody_gets_a_mail_twice_because_the_server_hung_up_on_somebody_else(
    workspace, settings, mailoutbox, caplog
):
    settings.EMAIL_BACKEND = f"{SERVERS}.DiesAtGone"
    for name in ("here", "gone", "late"):
        make_marketer(workspace, email=f"{name}@staff.example")
    assert tell(workspace) == 1
    assert addresses(mailoutbox) == ["here@staff.example"]
    assert "gone@staff.example" not in caplog.text
