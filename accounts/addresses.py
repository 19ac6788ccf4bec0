"""Where a request came from."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Protocol

from django.conf import settings


class _Request(Protocol):
    @property
    def META(self) -> Mapping[str, Any]:  # noqa: N802 - Django's name, and DRF's
        """The headers, and what the server knows of the connection."""


def of_request(request: _Request) -> str | None:
    """Return the client's IP address; None if it is not known, as with a server that listens on a socket file.

    Behind our proxy (BEHIND_TLS_PROXY) that is the last address of X-Forwarded-For, the one the proxy wrote: those
    before it are the client's own words. Without a proxy the whole header is, and is not looked at.
    """
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")) if settings.BEHIND_TLS_PROXY else ""
    return _read(forwarded.rpartition(",")[2]) or _read(str(request.META.get("REMOTE_ADDR", "")))


def _read(text: str) -> str | None:
    """Return an address as databases keep it: without zone, and IPv4 as such even where it came in IPv6."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
