"""What the settings make of the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings


def made_of(*names: str, **environment: str) -> list:
    """Return settings as a process with this environment has them."""
    code = f"import json; from config import settings; print(json.dumps([getattr(settings, it) for it in {names}]))"
    known = os.environ | environment
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=known)
    return json.loads(printed)


@pytest.mark.parametrize(
    ("url", "port", "is_tls", "is_ssl"),
    [
        ("smtp+tls://u:p@mail.example", 587, True, False),
        ("smtp+ssl://u:p@mail.example", 465, False, True),
        ("smtp://mail.example", 25, False, False),
        ("smtp+tls://u:p@mail.example:2525", 2525, True, False),
    ],
)
def test_mail_server_is_asked_at_the_port_of_its_kind(url, port, is_tls, is_ssl):
    found = made_of("EMAIL_PORT", "EMAIL_USE_TLS", "EMAIL_USE_SSL", EMAIL_URL=url)
    assert found == [port, is_tls, is_ssl]


def test_password_of_the_mail_server_may_hold_any_character():
    url = "smtp+tls://ann%40mail.example:a%3Ab%2Fc@mail.example"
    found = made_of("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_HOST", EMAIL_URL=url)
    assert found == ["ann@mail.example", "a:b/c", "mail.example"]


@pytest.mark.parametrize(("query", "seconds"), [("", 5), ("?connect_timeout=2", 2)])
def test_postgresql_is_not_waited_for_longer_than_partners_wait(query, seconds):
    (databases,) = made_of("DATABASES", DATABASE_URL=f"postgres://u:p@db.example/rollcall{query}")
    assert databases["default"]["OPTIONS"]["connect_timeout"] == seconds
