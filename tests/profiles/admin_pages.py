"""The addresses of one user's pages, and what tests read from them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles.models import Profile


def address(profile: Profile, name: str = "change") -> str:
    """Return the address of one of a user's pages."""
    return reverse(f"admin:profiles_profile_{name}", args=[profile.pk])


def text_of(response: HttpResponse, status: int = 200) -> str:
    """Return the HTML of an answer with this status."""
    assert response.status_code == status
    return response.content.decode()


def followed(client: Client, url: str, data: dict[str, Any]) -> str:
    """Send a form that leads somewhere else; return the HTML of the page it leads to."""
    response = client.post(url, data, follow=True)
    assert [status for _url, status in response.redirect_chain] == [302]
    return text_of(response)


def query_count(client: Client, url: str, data: dict[str, Any] | None = None) -> int:
    """Return how many queries a page takes, once what is cached per process is cached."""

    def answer() -> HttpResponse:
        return client.get(url) if data is None else client.post(url, data)

    answer()
    with CaptureQueriesContext(connection) as captured:
        assert answer().status_code == 200
    return len(captured)
