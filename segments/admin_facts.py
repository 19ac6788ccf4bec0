"""What the pages of technology partners tell of segments."""

from __future__ import annotations

from accounts.models import Workspace
from accounts.partners import Facts
from cohorts.models import Cohort
from segments import references
from segments.models import Segment


def of_partner(workspace: Workspace, partner: str) -> Facts:
    """Return how many active segments mention a cohort of a partner."""
    cohorts = Cohort.objects.for_workspace(workspace).filter(partner=partner)
    of_partner = set(cohorts.values_list("pk", flat=True))
    segments = Segment.objects.for_workspace(workspace).active().values_list("pk", "definition")
    trees = references.readable(segments) if of_partner else {}
    using = [tree for tree in trees.values() if references.cohort_ids_of(tree) & of_partner]
    return {"segment_count": len(using)}
