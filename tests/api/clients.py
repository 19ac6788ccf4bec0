"""The partners as tests play them: what they put on the wire, and nothing of Rollcall's own code."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from django.test import Client

_sessions = itertools.count(1)


def basic(secret: str, user: str = "mixpanel") -> str:
    """Return an Authorization header with the secret as password."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


class Wire:
    """An HTTP client that gets answers, never exceptions."""

    def __init__(self) -> None:
        self.http = Client(raise_request_exception=False)

    def post(self, path: str, body: Any, **more: Any) -> HttpResponse:
        """Post JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.http.post(path, data, **{"content_type": "application/json"} | more)


class Partner(Wire):
    """Speaks the partner protocol with both secrets in the body."""

    def __init__(self, secret: str, *, partner: str = "mixpanel", prefix: str = "") -> None:
        super().__init__()
        self.secrets: dict[str, Any] = {"partner_api_key": "software", "client_secret": secret}
        self.path = f"{prefix}/partners/{partner}/cohorts"

    def name(
        self, cohort_id: Any = "c", name: Any = "Cohort", *, slash: str = "", **more: Any
    ) -> HttpResponse:
        """Name a cohort."""
        return self.post(self.path + slash, self.secrets | {"cohort_id": cohort_id, "name": name} | more)

    def change(self, *changes: Any, cohort_id: Any = "c", slash: str = "", **more: Any) -> HttpResponse:
        """Send changes of a cohort's members."""
        body = self.secrets | {"cohort_id": cohort_id, "cohort_changes": list(changes)} | more
        return self.post(f"{self.path}/users{slash}", body)


class Rest(Wire):
    """A program with a REST API key."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}

    def call(self, path: str, body: Any, **more: Any) -> HttpResponse:
        """Post a body as JSON."""
        return self.post(path, body, **self.headers | more)

    def read(self, path: str, **query: Any) -> HttpResponse:
        """Get what is there, as a query string asks."""
        return self.http.get(path, query, **self.headers)


class Mixpanel(Wire):
    """Speaks the webhook with HTTP Basic."""

    path = "/partners/mixpanel/webhook"

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.headers = {"HTTP_AUTHORIZATION": basic(secret)}

    def send(self, body: Any, **more: Any) -> HttpResponse:
        """Send a body as it is."""
        return self.post(self.path, body, **self.headers | more)

    def page(
        self,
        members: Iterable[Any],
        *,
        action: str = "members",
        page: tuple[Any, Any] | None = None,
        session: Any = None,
        cohort_id: Any = "c",
        **parameters: Any,
    ) -> HttpResponse:
        """Send one page; `page` is (number, total). Members given as strings are distinct ids."""
        return self.send(
            page_body(members, action=action, page=page, session=session, cohort_id=cohort_id, **parameters)
        )

    def add(self, *members: Any, **more: Any) -> HttpResponse:
        """Send an `add_members` page in a session of its own."""
        return self.page(members, **{"action": "add_members", "session": new_session()} | more)

    def remove(self, *members: Any, **more: Any) -> HttpResponse:
        """Send a `remove_members` page in a session of its own."""
        return self.page(members, **{"action": "remove_members", "session": new_session()} | more)

    def replace(self, *pages: Sequence[Any], order: Sequence[int] | None = None, **more: Any) -> str:
        """Send a whole `members` session, its pages in `order` (from 1); return its session id."""
        session = more.pop("session", None) or new_session()
        for number in order or range(1, len(pages) + 1):
            answer = self.page(pages[number - 1], page=(number, len(pages)), session=session, **more)
            assert answer.status_code == 200, answer.content
        return session


def new_session() -> str:
    """Return a session id that no other export has."""
    return f"export-{next(_sessions)}"


def page_body(
    members: Iterable[Any],
    *,
    action: str = "members",
    page: tuple[Any, Any] | None = None,
    session: Any = None,
    cohort_id: Any = "c",
    **parameters: Any,
) -> dict[str, Any]:
    """Return the webhook's body, as in Mixpanel's documentation."""
    known: dict[str, Any] = {
        "mixpanel_project_id": "1978118",
        "mixpanel_cohort_id": cohort_id,
        "mixpanel_cohort_name": "Cohort",
        "mixpanel_cohort_description": "",
        "mixpanel_session_id": session or new_session(),
        "page_info": {"total_pages": page[1], "page_count": page[0]} if page else None,
        "members": [{"mixpanel_distinct_id": it} if isinstance(it, str) else it for it in members],
    }
    parameters = {name: value for name, value in (known | parameters).items() if value is not None}
    return {"action": action, "parameters": parameters}
