"""What the pages of technology partners tell of cohorts."""

from __future__ import annotations

from accounts.models import Workspace
from accounts.partners import Facts
from cohorts.models import Cohort

NAMES_SHOWN = 10


def of_partner(workspace: Workspace, partner: str) -> Facts:
    """Return how many cohorts a partner has sent, and the names of those heard of last."""
    cohorts = Cohort.objects.for_workspace(workspace).current().filter(partner=partner)
    names = cohorts.order_by("-last_sync_at", "-id").values_list("name", flat=True)
    return {"cohort_count": cohorts.count(), "cohort_names": list(names[:NAMES_SHOWN])}
