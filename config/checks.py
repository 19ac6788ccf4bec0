"""Mistakes in the settings, found when a process starts instead of when it first matters."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution

TAG = "rollcall"
NO_MAIL_SERVER = tuple(
    f"django.core.mail.backends.{it}.EmailBackend" for it in ("console", "dummy", "locmem")
)
DATABASES = ("django.db.backends.postgresql", "django.db.backends.sqlite3")
AT_LEAST = {
    "MAX_BODY_BYTES": 1,
    "MAX_UPLOAD_BYTES": 1,
    "MAX_IDS_PER_REQUEST": 1,
    "PARTNER_SYNC_IDLE_SECONDS": 1,
    "COMPACT_EVERY_DELTAS": 1,
    "UNMATCHED_SAMPLE_SIZE": 0,
    "UNMATCHED_SAMPLE_DAYS": 1,
    "UNFINISHED_SYNC_HOURS": 1,
    "DELTA_RETENTION_DAYS": 1,
    "HELD_MEMBERS_PER_COHORT": 0,
    "HELD_MEMBER_DAYS": 1,
    "CALLS_PER_MINUTE": 0,
    "REJECTED_CALL_DAYS": 1,
    "MAX_SEGMENT_FILTERS": 1,
    "MAX_SEGMENT_DEPTH": 1,
    "SEGMENT_EXPORT_DAYS": 1,
    "METRICS_COHORTS": 0,
}
TOKEN_LENGTH = 16


@register(TAG, deploy=True)
def secret_key_is_secret(**_: Any) -> Sequence[CheckMessage]:
    """Refuse the key that stands in the source for everybody to read; `make serve` asks before it starts."""
    if settings.DEBUG or settings.SECRET_KEY != settings.INSECURE_SECRET_KEY:
        return []
    hint = "Set SECRET_KEY to a long random text, for example the output of: openssl rand -base64 48"
    return [Error("SECRET_KEY is the one that everybody knows.", hint=hint, id="rollcall.E001")]


@register(TAG)
def database_is_supported(**_: Any) -> Sequence[CheckMessage]:
    """Refuse databases that the statements of ours are not written for."""
    engine = settings.DATABASES["default"]["ENGINE"]
    if engine in DATABASES:
        return []
    hint = "DATABASE_URL begins with postgres:// or sqlite:///"
    return [Error(f"{engine} is neither PostgreSQL nor SQLite.", hint=hint, id="rollcall.E002")]


@register(TAG)
def public_url_is_an_address(**_: Any) -> Sequence[CheckMessage]:
    """Refuse a PUBLIC_URL that partners could not call."""
    url = urlsplit(settings.PUBLIC_URL)
    if not settings.PUBLIC_URL or (url.scheme in {"http", "https"} and url.hostname):
        return []
    hint = "Write it like https://rollcall.example.com"
    return [Error("PUBLIC_URL is no address.", hint=hint, id="rollcall.E003")]


@register(TAG)
def mails_lead_somewhere(**_: Any) -> Sequence[CheckMessage]:
    """Warn of mails whose links are paths alone: nobody can click them in a mail program."""
    is_printed = settings.EMAIL_BACKEND in NO_MAIL_SERVER
    if is_printed or settings.PUBLIC_URL:
        return []
    hint = "Set PUBLIC_URL to the address under which people open Rollcall, like https://rollcall.example.com"
    return [Caution("Mails cannot link to Rollcall's pages.", hint=hint, id="rollcall.W001")]


@register(TAG)
def numbers_are_in_range(**_: Any) -> Sequence[CheckMessage]:
    """Refuse limits below which nothing could work."""
    return [
        Error(f"{name} is {getattr(settings, name)}: {least} is the least.", id="rollcall.E004")
        for name, least in AT_LEAST.items()
        if getattr(settings, name) < least
    ]


@register(TAG)
def metrics_token_is_no_guess(**_: Any) -> Sequence[CheckMessage]:
    """Refuse a token that somebody could find by trying."""
    if not settings.METRICS_TOKEN or len(settings.METRICS_TOKEN) >= TOKEN_LENGTH:
        return []
    hint = f"Take {TOKEN_LENGTH} random characters or more, for example the output of: openssl rand -hex 32"
    return [Error("METRICS_TOKEN is too short.", hint=hint, id="rollcall.E010")]


@register(TAG)
def metrics_addresses_are_some(**_: Any) -> Sequence[CheckMessage]:
    """Refuse what is no address, and a network that everybody is in."""
    return [
        Error(f"METRICS_ADDRESSES: “{network}” {fault}", id="rollcall.E011")
        for network in settings.METRICS_ADDRESSES
        if (fault := _network_fault(network))
    ]


def _network_fault(text: str) -> str:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return "is no address or network, such as 10.0.0.7 or 10.0.0.0/24."
    return "" if network.prefixlen else "is everybody: use METRICS_TOKEN, or name the networks."
