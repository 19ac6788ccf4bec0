"""Partners and programs as `tests/api/clients.py` plays them, over the network, at the server the browser looks at."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import APIRequestContext, APIResponse, Page, expect

HEADERS = {"content_type": "Content-Type", "HTTP_AUTHORIZATION": "Authorization"}


class Answer:
    """What the server answered, as Django's test client says it."""

    def __init__(self, answer: APIResponse) -> None:
        self.status_code = answer.status
        self.content = answer.body()
        self.headers = answer.headers
        self.json = answer.json


class Network:
    """Takes the place of a client's `http`: it calls by HTTP, with no cookie of anybody."""

    def __init__(self, requests: APIRequestContext) -> None:
        self.requests = requests

    def post(self, path: str, data: bytes, **named: Any) -> Answer:
        """Post a body."""
        headers = {HEADERS[name]: value for name, value in named.items()}
        return Answer(self.requests.post(path, data=data, headers=headers))


def generated(page: Page, button: str) -> str:
    """Generate a key, copy it, and return it."""
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Copy the data import key").click()
    expect(page.get_by_role("status")).to_have_text("Copied")
    secret: str = page.evaluate("navigator.clipboard.readText()")
    return secret
