"""Scheduled work on data points. It may run twice, or late."""

from __future__ import annotations

from django.utils import timezone

from accounts import allotment_notices


def tell_of_allotments() -> int:
    """Mail those whose workspace has used much of its allotment; return how many workspaces. Every 15 minutes."""
    return allotment_notices.tell(now=timezone.now())
