"""Partners at work: each client is a process that exports one cohort, page after page, as fast as it is answered."""

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
    """One request."""

    path: str
    body: bytes
    headers: dict[str, str]


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
    barrier, results = context.Barrier(len(clients) + 1), context.Queue()
    processes = [context.Process(target=_client, args=(port, make, barrier, results)) for make in clients]
    for process in processes:
        process.start()
    barrier.wait()
    started = time.perf_counter()
    outcomes = [results.get() for _ in processes]
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    times = [one for outcome in outcomes for one in outcome]
    return Run(members=len(times) * PAGE, seconds=seconds, page_milliseconds=times)


def _client(port: int, make: Callable[[], list[Page]], barrier: object, results: object) -> None:
    pages = make()
    barrier.wait()  # type: ignore[attr-defined]
    times = []
    for page in pages:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", page.path, page.body, page.headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status not in {200, 201}:
            raise SystemExit(f"{answer.status} {text[:300]!r}")
        times.append((time.perf_counter() - began) * 1000)
    results.put(times)  # type: ignore[attr-defined]


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
