"""`manage.py export_segment`: the users a segment selects now, as CSV."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import Workspace
from profiles import export
from segments import audience, filters
from segments.models import Segment


class Command(BaseCommand):
    """Streams to standard output, in constant memory."""

    help = "Write the users a segment selects now to standard output, as CSV sorted by profile id."

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the segment as its owner does."""
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--name", required=True, metavar="NAME", help="the segment's exact name")

    def handle(self, *, workspace: str, name: str, **_options: Any) -> None:
        """Write the CSV."""
        segment = _segment(workspace, name)
        try:
            tree = filters.parse(segment.definition)
            members = audience.members(workspace=segment.workspace, tree=tree, now=timezone.now())
        except filters.FilterError as error:
            raise CommandError(f"The filters of segment “{name}” are at fault: {error}") from error
        export.write_csv(self.stdout, workspace_id=segment.workspace_id, members=members)


def _segment(slug: str, name: str) -> Segment:
    owner = Workspace.objects.filter(slug=slug).first()
    if owner is None:
        raise CommandError(f"There is no workspace “{slug}”.")
    segment = Segment.objects.for_workspace(owner).select_related("workspace").filter(name=name).first()
    if segment is None:
        raise CommandError(f"Workspace “{slug}” has no segment “{name}”.")
    return segment
