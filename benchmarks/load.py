"""Clients at work: each is a process that sends its pages one after another, as fast as they are answered."""

from __future__ import annotations

import base64
import http.client
import json
import multiprocessing
import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PAGE = 1_000


@dataclass(frozen=True)
class Run:
    """What one load took."""

    members: int
    seconds: float
    page_milliseconds: Sequence[float]

    @property
    def per_second(self) -> float:
        """Members per second, all clients together."""
        return self.members / self.seconds

    def percentile(self, share: float) -> float:
        """Return the page time in milliseconds that `share` of the pages stayed under."""
        ordered = sorted(self.page_milliseconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


@dataclass(frozen=True)
class Page:
    """One request; `proof` is what its answer must hold, or the page was not applied and must not count."""

    path: str
    body: bytes
    headers: dict[str, str]
    members: int = PAGE
    proof: bytes = b""


class AnswerError(Exception):
    """The server did not do what a page asked for."""


def partner_pages(key: str, cohort: str, ids: Sequence[str]) -> list[Page]:
    """Return the pages of a cohort in the partner protocol."""
    headers = {"Content-Type": "application/json"}
    return [
        Page(
            "/partners/mixpanel/cohorts/users",
            _json(
                {
                    "client_secret": key,
                    "cohort_id": cohort,
                    "cohort_changes": [{"user_ids": ids[at : at + PAGE]}],
                }
            ),
            headers,
        )
        for at in range(0, len(ids), PAGE)
    ]


def webhook_pages(key: str, cohort: str, ids: Sequence[str]) -> list[Page]:
    """Return the pages of a full sync of a cohort by the webhook, with the properties Mixpanel always sends."""
    token = base64.b64encode(f"mixpanel:{key}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {token}"}
    session, total = uuid.uuid4().hex, -(-len(ids) // PAGE)
    pages = []
    for number, at in enumerate(range(0, len(ids), PAGE), start=1):
        members = [
            {
                "mixpanel_distinct_id": one,
                "email": f"{one}@example.com",
                "first_name": "First",
                "last_name": "Last",
            }
            for one in ids[at : at + PAGE]
        ]
        parameters = {
            "mixpanel_project_id": "1",
            "mixpanel_cohort_id": cohort,
            "mixpanel_cohort_name": cohort,
            "mixpanel_session_id": session,
            "page_info": {"total_pages": total, "page_count": number},
            "members": members,
        }
        pages.append(
            Page(
                "/partners/mixpanel/webhook", _json({"action": "members", "parameters": parameters}), headers
            )
        )
    return pages


def external_ids(members: int, profiles: int, seed: int) -> list[str]:
    """Return the external ids of `members` random profiles."""
    return [f"user-{number}" for number in random.Random(seed).sample(range(1, profiles + 1), members)]


def drive(port: int, clients: Sequence[Callable[[], list[Page]]]) -> Run:
    """Let the clients send all their pages at once; they begin together when all have made their bodies."""
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(len(clients) + 1, timeout=600), context.Queue()
    processes = [
        context.Process(target=_client, args=(port, make, barrier, results), daemon=True) for make in clients
    ]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    outcomes = [results.get() for _ in processes]
    seconds = time.perf_counter() - started
    if faults := [outcome for outcome in outcomes if isinstance(outcome, str)]:
        raise SystemExit(faults[0])
    for process in processes:
        process.join()
    sent = [one for outcome in outcomes for one in outcome]
    return Run(
        members=sum(members for members, _ in sent),
        seconds=seconds,
        page_milliseconds=[taken for _, taken in sent],
    )


def _client(port: int, make: Callable[[], list[Page]], barrier: object, results: object) -> None:
    pages = make()
    barrier.wait()  # type: ignore[attr-defined]
    try:
        sent = [(page.members, _send(port, page)) for page in pages]
    except (AnswerError, OSError) as error:
        results.put(f"{type(error).__name__}: {error}")  # type: ignore[attr-defined]
    else:
        results.put(sent)  # type: ignore[attr-defined]


def _send(port: int, page: Page) -> float:
    """Send a page on a connection of its own; return how many milliseconds it took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", page.path, page.body, page.headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status not in {200, 201} or page.proof not in text:
        raise AnswerError(f"{page.path}: {answer.status} {text[:500]!r}")
    return (time.perf_counter() - began) * 1000


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
