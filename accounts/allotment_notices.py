"""Mails about data points: when 50, 80 and 100 % of an allotment are used, once per period and share.

Checked by a schedule, so that no import waits for it. Two checks may meet, and each may be killed, so the order matters:

1. The notice is claimed, in one statement each that only one of two checks wins. Nothing is locked while mails go out.
2. The mails are sent.
3. The notice is noted as sent. One that was claimed and not sent, because the mail server failed or the worker was
   killed, is claimed anew by a check after RETRY_AFTER: a mail may be late, and is never lost.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from accounts import allotments, mail
from accounts.allotments import Standing
from accounts.models import AllotmentNotice, Workspace

LEVELS = (50, 80, 100)
RETRY_AFTER = timedelta(minutes=10)


def tell(*, now: datetime) -> int:
    """Mail the staff of every workspace that has reached a share of its allotment; return how many workspaces.

    Owns its transactions. If a mail server fails, it is logged, and the next check tries again.
    """
    workspaces = Workspace.objects.exclude(allotment=None).order_by("id")
    return sum(_tell(workspace, now) for workspace in workspaces)


def _tell(workspace: Workspace, now: datetime) -> bool:
    standing = allotments.standing(workspace=workspace, now=now)
    notice = _claimed(workspace, standing, now)
    if notice is None:
        return False
    context = {"standing": standing, "percent": notice.percent, "page": mail.link("data_points")}
    try:
        mail.tell(workspace=workspace, about="allotment", context=context)
    except OSError as error:  # smtplib's are some, too
        log = structlog.get_logger("rollcall.mail")
        log.warning("mail_failed", about="allotment", error=type(error).__name__)  # its text has addresses
        return False
    AllotmentNotice.objects.filter(pk=notice.pk, claimed_at=now).update(sent_at=now)
    return True


def _claimed(workspace: Workspace, standing: Standing, now: datetime) -> AllotmentNotice | None:
    """Return the notice of the highest share that is reached, if it is for this check to send it.

    Lower ones need no mail any more.
    """
    reached = [level for level in LEVELS if standing.percent >= level]
    if not reached:
        return None
    notice, is_new = AllotmentNotice.objects.get_or_create(
        workspace=workspace,
        period_start=standing.period.first,
        percent=reached[-1],
        defaults={"claimed_at": now},
    )
    lost = AllotmentNotice.objects.filter(pk=notice.pk, sent_at=None, claimed_at__lt=now - RETRY_AFTER)
    return notice if is_new or lost.update(claimed_at=now) else None
