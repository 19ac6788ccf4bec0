"""Mail to the staff of a workspace who want it, each in the language they chose last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from smtplib import SMTPDataError, SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation

from accounts.models import User, Workspace

PERMANENT = 500  # SMTP's codes from here on say "never", those below "not now"
# These are about one mail, and the server takes others; any other error is the server's.
OF_ONE_MAIL = (SMTPRecipientsRefused, SMTPDataError)

log = structlog.get_logger("rollcall.mail")


def tell(*, workspace: Workspace, about: str, context: Mapping[str, Any]) -> int:
    """Mail the subscribed staff of a workspace; return how many mails that were.

    `about` names two templates: `mails/{about}_subject.txt` and `mails/{about}.txt`. They know `workspace`,
    `reader` and the context; where to end the mails stands below each.

    Raises OSError, as smtplib's errors are, if nobody has the mail: the caller tries again later. Once somebody has it
    nothing is raised, or they would get it again; who was missed stands in the log.
    """
    known = {"workspace": workspace, **context}
    letters = [(reader, _message(reader, about, known)) for reader in subscribed(workspace=workspace)]
    return _hand_over(letters) if letters else 0


def subscribed(*, workspace: Workspace) -> list[User]:
    """Return the active staff of a workspace who have an address and want mail, the oldest accounts first."""
    wanting = User.objects.filter(
        is_active=True, is_staff=True, memberships__workspace=workspace, memberships__gets_mail=True
    )
    return list(wanting.exclude(email="").order_by("pk"))


def link(view: str, *args: object) -> str:
    """Return the full address of a page of the admin; its path alone while no PUBLIC_URL is set."""
    return f"{settings.PUBLIC_URL}{reverse(f'admin:{view}', args=args)}"


def _message(reader: User, about: str, context: Mapping[str, Any]) -> EmailMessage:
    known = {**context, "reader": reader, "settings_url": link("notifications")}
    with translation.override(reader.language or settings.LANGUAGE_CODE):
        subject, text, footer = (
            render_to_string(f"mails/{name}.txt", known) for name in (f"{about}_subject", about, "footer")
        )
    return EmailMessage(
        subject=" ".join(subject.split()),
        body=f"{text.strip()}\n\n-- \n{footer.strip()}\n",
        to=[reader.email],
        headers={"Auto-Submitted": "auto-generated"},  # so that nobody's absence is answered to us
    )


def _hand_over(letters: Sequence[tuple[User, EmailMessage]]) -> int:
    """Give each mail to the server by itself: an address it refuses keeps nobody else from theirs."""
    server = get_connection()
    server.open()
    count, failure = 0, None
    try:
        for reader, message in letters:
            try:
                count += server.send_messages([message]) or 0
            except (
                UnicodeError
            ) as error:  # no domain is called like that: some pass for an address all the same
                log.warning("mail_failed", user=reader.pk, error=type(error).__name__)
            except OSError as error:
                log.warning("mail_failed", user=reader.pk, error=type(error).__name__)
                failure = failure if _is_final(error) else error
                if not isinstance(error, OF_ONE_MAIL):
                    break  # the server is gone
    finally:
        server.close()
    if failure and not count:
        raise failure
    return count


def _is_final(error: OSError) -> bool:
    """Whether the server will never take this mail."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _reason in error.recipients.values())
    return isinstance(error, SMTPDataError) and error.smtp_code >= PERMANENT
