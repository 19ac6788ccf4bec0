"""Mixpanel as seen from the receiving end: exports a cohort from a CSV file over HTTP, in either wire protocol.

Sends what Mixpanel sends, in pages under one session id. Nothing here touches the database.
"""

from __future__ import annotations

import base64
import random
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, BinaryIO

from cohorts import simulator_csv
from cohorts.simulator_csv import MemberFile
from cohorts.simulator_http import Client

PROJECT_ID = "1978118"


class Protocol(StrEnum):
    """The two wire protocols."""

    WEBHOOK = "webhook"
    PARTNER = "partner"


class Action(StrEnum):
    """What to export. The partner protocol knows no replacing: there, `members` adds like `add_members`."""

    MEMBERS = "members"
    ADD_MEMBERS = "add_members"
    REMOVE_MEMBERS = "remove_members"


@dataclass(frozen=True)
class Sync:
    """One export of a cohort, as a person set it up at Mixpanel."""

    endpoint: str
    key: str
    protocol: Protocol
    cohort_id: str
    name: str
    action: Action
    page_size: int = 1_000
    shuffle_pages: bool = False
    repeat_pages: bool = False
    is_gzipped: bool = False


@dataclass
class Summary:
    """What was sent so far, and how it fared. The webhook tells nobody how many matched: None."""

    total_members: int
    total_pages: int
    pages: int = 0
    members: int = 0
    requests: int = 0
    matched: int | None = None
    unmatched: int | None = None
    seconds: float = 0.0


def run(sync: Sync, source: BinaryIO) -> Iterator[Summary]:
    """Send the file's members and yield the summary, first before the first page and then after each.

    Raises SyncPausedError or SyncFailedError, and ValueError or csv.Error for a file or address that is none.
    """
    file = MemberFile(source, page_size=sync.page_size)
    order = _order(sync, file.total_pages)
    repeats = 2 if sync.repeat_pages else 1
    summary = Summary(total_members=file.count * repeats, total_pages=len(order))
    began = time.monotonic()
    send = _send_webhook_page if sync.protocol is Protocol.WEBHOOK else _send_partner_page
    session_id = uuid.uuid4().hex
    with closing(Client(sync.endpoint, headers=_headers(sync), is_gzipped=sync.is_gzipped)) as client:
        yield summary
        for number in order:
            members = file.page(number)
            answer = send(client, sync, session_id, number, file.total_pages, members)
            _note(summary, answer, members=len(members))
            summary.requests = client.requests
            summary.seconds = time.monotonic() - began
            yield summary


def _order(sync: Sync, total_pages: int) -> list[int]:
    order = [page for page in range(1, total_pages + 1) for _ in range(2 if sync.repeat_pages else 1)]
    if sync.shuffle_pages:
        random.shuffle(order)
    return order


def _headers(sync: Sync) -> dict[str, str]:
    if sync.protocol is Protocol.PARTNER:
        return {}
    credentials = base64.b64encode(f"mixpanel:{sync.key}".encode()).decode()
    return {"Authorization": f"Basic {credentials}"}


def _note(summary: Summary, answer: dict[str, Any], *, members: int) -> None:
    summary.pages += 1
    summary.members += members
    if "matched" in answer:
        summary.matched = (summary.matched or 0) + int(answer["matched"])
        summary.unmatched = (summary.unmatched or 0) + int(answer["unmatched"])


def _send_webhook_page(
    client: Client, sync: Sync, session_id: str, number: int, total_pages: int, members: list[dict[str, str]]
) -> dict[str, Any]:
    return client.post(
        "/partners/mixpanel/webhook",
        {
            "action": sync.action,
            "parameters": {
                "mixpanel_project_id": PROJECT_ID,
                "mixpanel_cohort_id": sync.cohort_id,
                "mixpanel_cohort_name": sync.name,
                "mixpanel_cohort_description": "",
                "mixpanel_session_id": session_id,
                "page_info": {"total_pages": total_pages, "page_count": number},
                "members": [simulator_csv.webhook_member(member) for member in members],
            },
        },
    )


def _send_partner_page(
    client: Client, sync: Sync, _session_id: str, _number: int, _pages: int, members: list[dict[str, str]]
) -> dict[str, Any]:
    """Name the cohort and send the page: such clients name it again before every batch."""
    identity = {"client_secret": sync.key, "cohort_id": sync.cohort_id}
    created_at = datetime.now(tz=UTC).isoformat()
    client.post("/partners/mixpanel/cohorts", {**identity, "name": sync.name, "created_at": created_at})
    change = simulator_csv.partner_change(members, should_remove=sync.action is Action.REMOVE_MEMBERS)
    changes = [change] if members else []
    return client.post("/partners/mixpanel/cohorts/users", {**identity, "cohort_changes": changes})
