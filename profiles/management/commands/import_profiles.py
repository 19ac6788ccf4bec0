"""`manage.py import_profiles FILE.csv --workspace SLUG`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Workspace
from profiles import csv_import, csv_source
from profiles.csv_import import Progress
from profiles.csv_merge import Mode
from profiles.csv_rows import CsvHeaderError


class Command(BaseCommand):
    """Imports profiles from a CSV file."""

    help = "Creates and updates profiles from a CSV file; rows at fault go to FILE.errors.csv."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file, the workspace, and what may be done."""
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--update-only", action="store_true", help="create no profile")
        parser.add_argument("--dry-run", action="store_true", help="write nothing, only say how it would go")

    def handle(
        self, *, file: Path, workspace: str, update_only: bool, dry_run: bool, **_options: Any
    ) -> None:
        """Import the file, and say how its rows fared."""
        target = Workspace.objects.filter(slug=workspace).first()
        if target is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        errors = file.with_suffix(".errors.csv")
        mode = Mode(update_only=update_only, is_dry_run=dry_run)
        try:
            done = self._import(target, file, errors, mode)
        except (OSError, CsvHeaderError) as error:
            errors.unlink(missing_ok=True)
            raise CommandError(str(error)) from error
        self.stdout.write(_summary(done, mode))
        if done.failed:
            self.stdout.write(f"The rows at fault, with the reasons: {errors}")
        else:
            errors.unlink(missing_ok=True)

    def _import(self, workspace: Workspace, file: Path, errors: Path, mode: Mode) -> Progress:
        done = Progress()
        with (
            file.open("rb") as source,
            errors.open("w", encoding="utf-8", errors="surrogateescape", newline="") as rejected,
            tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=file.name) as bar,
        ):
            form = csv_source.detect(source)
            for done in csv_import.run(
                workspace_id=workspace.pk, source=source, rejected=rejected, form=form, mode=mode
            ):
                bar.set_postfix_str(f"{done.rows:,} rows", refresh=False)
                bar.update(done.bytes_read - bar.n)
        return done


def _summary(done: Progress, mode: Mode) -> str:
    skipped = f"{done.skipped:,} not here, " if mode.update_only else ""
    text = (
        f"{done.rows:,} rows: {done.created:,} profiles created, {done.updated:,} updated, "
        f"{done.unchanged:,} unchanged, {skipped}{done.failed:,} rows at fault."
    )
    return f"Nothing was written. It would be: {text}" if mode.is_dry_run else text
