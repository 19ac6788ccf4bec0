"""Where a request came from: what the connection says, or what our own proxy wrote, and nothing a client claims."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from accounts import addresses

CLIENT = "203.0.113.9"


def address(**meta: str) -> str | None:
    return addresses.of_request(RequestFactory().get("/", **meta))


def test_without_a_proxy_the_connection_counts_and_no_header(settings):
    settings.BEHIND_TLS_PROXY = False
    assert address(REMOTE_ADDR=CLIENT, HTTP_X_FORWARDED_FOR="198.51.100.1") == CLIENT


@pytest.mark.parametrize("header", [CLIENT, f"198.51.100.1, {CLIENT}", f"junk,198.51.100.1,{CLIENT} "])
def test_behind_our_proxy_the_last_hop_counts(settings, header):
    settings.BEHIND_TLS_PROXY = True
    assert address(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=header) == CLIENT


@pytest.mark.parametrize("header", ["", "unknown", "198.51.100.1, _hidden", "198.51.100.1,"])
def test_proxy_that_names_nobody_counts_itself(settings, header):
    settings.BEHIND_TLS_PROXY = True
    assert address(REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=header) == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("::ffff:203.0.113.9", CLIENT),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unix:", None),
        ("999.1.1.1", None),
    ],
)
def test_address_is_kept_as_databases_take_it(settings, given, kept):
    settings.BEHIND_TLS_PROXY = False
    assert address(REMOTE_ADDR=given) == kept
