import pytest
from django.core.checks import run_checks

from config import checks


def ids(*, deploy: bool = False) -> list[str | None]:
    return [message.id for message in run_checks(tags=[checks.TAG], include_deployment_checks=deploy)]


def test_defaults_are_fine_for_trying_out():
    assert ids() == []


def test_key_that_everybody_knows_is_refused_in_production_only(settings):
    settings.SECRET_KEY, settings.DEBUG = settings.INSECURE_SECRET_KEY, False
    assert ids() == []
    assert ids(deploy=True) == ["rollcall.E001"]
    settings.DEBUG = True
    assert ids(deploy=True) == []
    settings.SECRET_KEY, settings.DEBUG = "a secret of one's own", False
    assert ids(deploy=True) == []


def test_database_of_another_kind_is_refused(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.mysql")
    assert ids() == ["rollcall.E002"]


@pytest.mark.parametrize("url", ["rollcall.example.com", "ftp://rollcall.example.com", "https://"])
def test_public_url_that_nobody_could_call_is_refused(settings, url):
    settings.PUBLIC_URL = url
    assert ids() == ["rollcall.E003"]


@pytest.mark.parametrize("url", ["", "https://rollcall.example.com", "http://localhost:8000/prefix"])
def test_public_url_may_be_an_address_or_blank(settings, url):
    settings.PUBLIC_URL = url
    assert ids() == []


def test_mails_without_links_are_warned_of(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert ids() == ["rollcall.W001"]
    settings.PUBLIC_URL = "https://rollcall.example.com"
    assert ids() == []


@pytest.mark.parametrize("name", checks.AT_LEAST)
def test_limit_below_which_nothing_works_is_refused(settings, name):
    setattr(settings, name, checks.AT_LEAST[name])
    assert ids() == []
    setattr(settings, name, checks.AT_LEAST[name] - 1)
    assert ids() == ["rollcall.E004"]
