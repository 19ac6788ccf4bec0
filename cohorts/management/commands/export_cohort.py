"""`manage.py export_cohort`: the members of a cohort as CSV."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Workspace
from cohorts import membership
from cohorts.models import Cohort
from profiles import export, universe


class Command(BaseCommand):
    """Streams to standard output, in constant memory."""

    help = "Write the members of a cohort to standard output, as CSV sorted by profile id."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the cohort as its partner does."""
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--partner", required=True, metavar="PARTNER", help="for example mixpanel")
        parser.add_argument("--cohort-id", required=True, metavar="ID", help="the partner's id of the cohort")

    def handle(self, *, workspace: str, partner: str, cohort_id: str, **_options: Any) -> None:
        """Write the CSV."""
        cohort = _cohort(workspace, partner, cohort_id)
        live = universe.live(workspace_id=cohort.workspace_id)
        members = membership.members(cohort_ids=[cohort.pk], within=live)[cohort.pk]
        export.write_csv(self.stdout, workspace_id=cohort.workspace_id, members=members)


def _cohort(slug: str, partner: str, cohort_id: str) -> Cohort:
    owner = Workspace.objects.filter(slug=slug).first()
    if owner is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    own = Cohort.objects.for_workspace(owner).current().without_members()
    cohort = own.filter(partner=partner, partner_cohort_id=cohort_id).first()
    if cohort is None:
        raise CommandError(f"Workspace “{slug}” has no cohort “{cohort_id}” of partner “{partner}”.")
    return cohort
