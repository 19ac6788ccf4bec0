"""Mail servers that misbehave, to be put in place of the real one by `settings.EMAIL_BACKEND`."""

from __future__ import annotations

from collections.abc import Iterable
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.locmem import EmailBackend as Delivers


class Unreachable(Delivers):
    """Nobody answers."""

    def open(self) -> bool:
        raise ConnectionRefusedError


class _Picky(Delivers):
    def send_messages(self, email_messages: Iterable[EmailMessage]) -> Any:
        messages = list(email_messages)
        for message in messages:
            self.look_at(message.to[0])
        return super().send_messages(messages)

    def look_at(self, address: str) -> None:
        raise NotImplementedError


class Refusing(_Picky):
    """Refuses who is `gone`, and what to them is `spam`, for ever; who is `busy` or `full` for now.

    Of `odd` no server hears: Django itself cannot write such an address, as of a domain that is too long in ASCII.
    """

    def look_at(self, address: str) -> None:
        name = address.partition("@")[0]
        if name in {"gone", "busy"}:
            raise SMTPRecipientsRefused({address: (550 if name == "gone" else 450, b"no")})
        if name == "odd":
            raise UnicodeError("label empty or too long")
        if name in {"spam", "full"}:
            raise SMTPDataError(554 if name == "spam" else 452, b"no")


class DiesAtGone(_Picky):
    """Hangs up when it sees an address that begins with `gone`."""

    def look_at(self, address: str) -> None:
        if address.startswith("gone"):
            raise SMTPServerDisconnected("Connection unexpectedly closed")
