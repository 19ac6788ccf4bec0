"""`manage.py import_events FILE.jsonl --workspace SLUG`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts.models import Workspace
from profiles import event_files
from profiles.event_files import Progress
from profiles.jobs import ImportFileError


class Command(BaseCommand):
    """Imports a raw export of events."""

    help = "Counts the events of Mixpanel's raw export (JSON lines, plain or gzip); lines at fault go to FILE.errors.jsonl."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and the workspace."""
        parser.add_argument("file", type=Path, metavar="FILE.jsonl")
        parser.add_argument("--workspace", required=True, metavar="SLUG")

    def handle(self, *, file: Path, workspace: str, **_options: Any) -> None:
        """Import the file, and say how its events fared."""
        target = Workspace.objects.filter(slug=workspace).first()
        if target is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        errors = file.with_suffix(".errors.jsonl")
        try:
            done = self._import(target, file, errors)
        except (OSError, ImportFileError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.rows:,} events: {done.imported:,} imported, {done.duplicates:,} duplicates, "
            f"{done.too_old:,} from before 2010, {done.unknown_users:,} of unknown users, {done.failed:,} at fault."
        )
        if done.failed:
            self.stdout.write(f"The lines at fault, with the reasons: {errors}")
        else:
            errors.unlink(missing_ok=True)

    def _import(self, workspace: Workspace, file: Path, errors: Path) -> Progress:
        done = Progress()
        with (
            file.open("rb") as source,
            errors.open("wb") as rejected,
            tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=file.name) as bar,
        ):
            batches = event_files.run(
                workspace_id=workspace.pk, source=source, rejected=rejected, clock=timezone.now
            )
            for done in batches:
                bar.set_postfix_str(f"{done.rows:,} events", refresh=False)
                bar.update(done.bytes_read - bar.n)
        return done
