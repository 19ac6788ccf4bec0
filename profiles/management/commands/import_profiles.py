"""`manage.py import_profiles FILE.csv --workspace SLUG`"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from accounts.models import Workspace
from profiles import csv_import
from profiles.csv_import import Progress
from profiles.csv_rows import CsvHeaderError


class Command(BaseCommand):
    """Imports profiles from a CSV file."""

    help = "Creates and updates profiles from a CSV file; rows at fault go to FILE.errors.csv."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file and the workspace."""
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument("--workspace", required=True, metavar="SLUG")

    def handle(self, *, file: Path, workspace: str, **_options: Any) -> None:
        """Import the file, and say how its rows fared."""
        target = Workspace.objects.filter(slug=workspace).first()
        if target is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        errors = file.with_suffix(".errors.csv")
        try:
            done = self._import(target, file, errors)
        except (OSError, CsvHeaderError) as error:
            errors.unlink(missing_ok=True)
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{done.rows:,} rows: {done.created:,} profiles created, {done.updated:,} updated, "
            f"{done.unchanged:,} unchanged, {done.failed:,} rows at fault."
        )
        if done.failed:
            self.stdout.write(f"The rows at fault, with the reasons: {errors}")
        else:
            errors.unlink(missing_ok=True)

    def _import(self, workspace: Workspace, file: Path, errors: Path) -> Progress:
        done = Progress()
        with (
            file.open("rb") as source,
            errors.open("w", encoding="utf-8", errors="surrogateescape", newline="") as rejected,
            tqdm(total=file.stat().st_size, unit="B", unit_scale=True, desc=file.name) as bar,
        ):
            for done in csv_import.run(workspace_id=workspace.pk, source=source, rejected=rejected):
                bar.set_postfix_str(f"{done.rows:,} rows", refresh=False)
                bar.update(done.bytes_read - bar.n)
        return done
