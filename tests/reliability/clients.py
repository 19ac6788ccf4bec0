"""Partners that call over real connections, and try again as Mixpanel does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from tests.api.clients import basic

GIVE_UP_SECONDS = 30


class Sender:
    """Sends webhook pages; a page that gets no 2xx is sent again until it does."""

    def __init__(self, port: int, secret: str) -> None:
        self.port = port
        self.headers = {"Authorization": basic(secret), "Content-Type": "application/json"}

    def once(self, body: dict[str, Any]) -> int | None:
        """Send once; return the status, None if the connection failed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", "/partners/mixpanel/webhook", json.dumps(body), self.headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return None
        else:
            return answer.status
        finally:
            connection.close()

    def until_taken(self, body: dict[str, Any]) -> int:
        """Send until it is taken; return how many calls that took. 4xx would pause a real sync: it fails the test."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        calls = 1
        while (status := self.once(body)) != 200:
            assert status is None or status >= 500, status
            assert time.monotonic() < deadline, f"the page was never taken: {status} at last"
            calls += 1
            time.sleep(0.02)
        return calls


def together(jobs: Iterable[Callable[[], None]]) -> None:
    """Run all jobs at once, in threads; raise what the first failed one raised."""
    errors: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a job hangs"
    if errors:
        raise errors[0]
