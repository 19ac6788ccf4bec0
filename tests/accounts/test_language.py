"""Rollcall remembers the language of staff, and of nobody else."""

import pytest
from django.urls import reverse

from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


def language(user) -> str:
    user.refresh_from_db()
    return user.language


def switch(client, code: str):
    return client.post(reverse("set_language"), {"language": code, "next": "/admin/"})


def test_switching_the_language_is_remembered(marketer, marketer_client):
    answer = switch(marketer_client, "de")
    assert (answer.status_code, answer.cookies["django_language"].value) == (302, "de")
    assert language(marketer) == "de"
    switch(marketer_client, "fr")
    assert language(marketer) == "fr"


@pytest.mark.parametrize("code", ["", "es", "xx", "../de", "DE" * 50])
def test_language_that_rollcall_does_not_speak_is_not(marketer, marketer_client, code):
    switch(marketer_client, code)
    assert language(marketer) == ""


def test_switching_needs_no_account(client):
    assert switch(client, "de").status_code == 302


def test_who_is_no_staff_is_not_remembered(client_of):
    outsider = UserFactory.create(is_staff=False)
    switch(client_of(outsider), "de")
    assert language(outsider) == ""


def test_reading_the_address_changes_nothing(marketer, marketer_client):
    marketer_client.get(reverse("set_language"), {"language": "de"})
    assert language(marketer) == ""


def log_in(client, user, accepted: str) -> None:
    answer = client.post(
        reverse("admin:login"),
        {"username": user.username, "password": PASSWORD},
        headers={"accept-language": accepted},
    )
    assert answer.status_code == 302


def test_first_login_remembers_the_language_of_the_browser(client, marketer):
    log_in(client, marketer, "de-CH, en;q=0.5")
    assert language(marketer) == "de"


def test_later_login_keeps_the_language_that_was_chosen(client, marketer):
    marketer.language = "fr"
    marketer.save()
    log_in(client, marketer, "de")
    assert language(marketer) == "fr"


def test_failed_login_remembers_nothing(client, marketer):
    client.post(
        reverse("admin:login"),
        {"username": "marketer", "password": "wrong"},
        headers={"accept-language": "de"},
    )
    assert language(marketer) == ""
