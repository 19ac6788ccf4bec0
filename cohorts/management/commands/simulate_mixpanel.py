"""`manage.py simulate_mixpanel --endpoint URL --key KEY --protocol webhook --cohort-id ID --name NAME ...`"""

from __future__ import annotations

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from cohorts import simulator
from cohorts.simulator import Action, Protocol, Summary, Sync
from cohorts.simulator_http import SyncFailedError, SyncPausedError


class Command(BaseCommand):
    """Sends a cohort as Mixpanel would."""

    help = "Exports a CSV file of members to a server as Mixpanel would export a cohort."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to, what, and how untidily."""
        parser.add_argument("--endpoint", required=True, metavar="URL")
        parser.add_argument("--key", required=True, help="the data import key")
        parser.add_argument("--protocol", type=Protocol, choices=list(Protocol), default=Protocol.WEBHOOK)
        parser.add_argument("--cohort-id", required=True)
        parser.add_argument("--name", required=True)
        parser.add_argument("--action", type=Action, choices=list(Action), default=Action.MEMBERS)
        parser.add_argument("--from", required=True, type=Path, dest="file", metavar="FILE.csv")
        parser.add_argument("--page-size", type=int, default=1_000)
        parser.add_argument("--shuffle-pages", action="store_true")
        parser.add_argument("--repeat-pages", action="store_true", help="send every page twice")
        parser.add_argument("--gzip", action="store_true", dest="is_gzipped")

    def handle(self, *, file: Path, **options: Any) -> None:
        """Send the file, and say how it went."""
        sync = Sync(**{name: options[name] for name in Sync.__dataclass_fields__})
        if sync.page_size < 1:
            raise CommandError("A page has at least 1 member.")
        try:
            summary = self._send(sync, file)
        except SyncPausedError as paused:
            raise CommandError(
                f"Mixpanel pauses this sync. {paused}\nTo resume it: {paused.advice}"
            ) from paused
        except SyncFailedError as failed:
            raise CommandError(f"All retries failed. {failed}") from failed
        except (OSError, ValueError, csv.Error) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(describe(summary))

    def _send(self, sync: Sync, file: Path) -> Summary:
        with file.open("rb") as source, tqdm(unit=" members", desc=sync.name) as bar:
            for summary in simulator.run(sync, source):
                bar.total = summary.total_members
                bar.update(summary.members - bar.n)
        return summary


def describe(summary: Summary) -> str:
    """Return the summary as a line of text."""
    fared = (
        "the webhook does not tell how many matched"
        if summary.matched is None
        else f"{summary.matched:,} matched, {summary.unmatched:,} unmatched"
    )
    speed = summary.members / summary.seconds if summary.seconds else 0
    return (
        f"{summary.pages:,} pages, {summary.members:,} members in {summary.requests:,} requests; {fared}; "
        f"{summary.seconds:.1f} s, {speed:,.0f} members/s."
    )
