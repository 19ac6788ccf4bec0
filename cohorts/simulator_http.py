"""How Mixpanel calls a server: 10 s of patience, 5 retries within a minute after 429, 5xx or silence.

Anything else but 2xx needs a person: Mixpanel pauses the sync and shows the server's message.
"""

from __future__ import annotations

import gzip
import http.client
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson

TIMEOUT_SECONDS = 10
RETRY_AFTER_SECONDS = (1, 2, 4, 8, 16)
RETRY_WITHIN_SECONDS = 60
MESSAGE_LENGTH = 500
ADVICE: Mapping[int, str] = {
    HTTPStatus.BAD_REQUEST: "the request is not what the server understands; its message says why.",
    HTTPStatus.UNAUTHORIZED: "create a data import key for this partner in Rollcall, and give it to Mixpanel.",
    HTTPStatus.FORBIDDEN: "something between Mixpanel and Rollcall refuses the call; look at proxy and firewall.",
    HTTPStatus.NOT_FOUND: "compare the endpoint with the one that Rollcall shows on Technology partners.",
}
OTHER_ADVICE = "the server's message says what it refuses."


class SyncPausedError(Exception):
    """An answer after which Mixpanel pauses the sync until a person acts: the server's message, and what to do."""

    def __init__(self, *, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.advice = ADVICE.get(status, OTHER_ADVICE)


class SyncFailedError(Exception):
    """All retries failed. Mixpanel begins again from the first page at its next sync."""


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 stands for silence: no connection, or none of an answer in time."""

    status: int
    text: bytes = b""
    retry_after: float = 0.0

    @property
    def is_passing(self) -> bool:
        """Whether the same call may succeed later."""
        return (
            self.status in {0, HTTPStatus.TOO_MANY_REQUESTS}
            or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )

    def body(self) -> dict[str, Any]:
        """Return the JSON object it holds, empty if it is none."""
        try:
            body = orjson.loads(self.text)
        except orjson.JSONDecodeError:
            return {}
        return body if isinstance(body, dict) else {}

    def message(self) -> str:
        """Return the readable part of an error, in the shape of either protocol."""
        body = self.body()
        error = body.get("error")
        message = error.get("message") if isinstance(error, dict) else body.get("message")
        return str(message or self.text.decode(errors="replace"))[:MESSAGE_LENGTH]


class Client:
    """Posts JSON below one endpoint, over one connection for as long as the server keeps it."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str],
        is_gzipped: bool = False,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the endpoint's address. Raises ValueError if it is none."""
        url = urlsplit(endpoint)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError(f"“{endpoint}” is no address that begins with http:// or https://.")
        connect = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self._connection = connect(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
        self._prefix = url.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "User-Agent": "Mixpanel (simulated)", **headers}
        self._is_gzipped = is_gzipped
        if is_gzipped:
            self._headers["Content-Encoding"] = "gzip"
        self._sleep, self._clock = sleep, clock
        self.requests = 0

    def post(self, path: str, body: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
        """Return the answer's JSON object. Raises SyncPausedError, or SyncFailedError when all retries failed."""
        data = gzip.compress(orjson.dumps(body), 1) if self._is_gzipped else orjson.dumps(body)
        began = self._clock()
        for pause in (*RETRY_AFTER_SECONDS, None):
            answer = self._send(path, data)
            if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer.body()
            if not answer.is_passing:
                raise SyncPausedError(status=answer.status, message=answer.message())
            wait = max(pause or 0, answer.retry_after)
            if pause is None or self._clock() - began + wait > RETRY_WITHIN_SECONDS:
                break
            self._sleep(wait)
        raise SyncFailedError(f"{answer.status or 'no answer'}: {answer.message() or 'the server is away'}")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _send(self, path: str, data: bytes) -> Answer:
        self.requests += 1
        try:
            self._connection.request("POST", self._prefix + path, body=data, headers=self._headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(status=0)
        return Answer(response.status, text, _seconds(response.headers.get("Retry-After")))


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
