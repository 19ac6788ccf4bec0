"""The overview: what to do next while a workspace is empty, how it stands once it is not."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.permissions import current_workspace


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the overview's figures to the context of the admin's index. The theme calls this."""
    current_workspace(request)
    return {**context, "title": _("Overview")}
