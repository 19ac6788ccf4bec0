"""`manage.py load_demo --endpoint URL`: what `make run` shows."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from cohorts.simulator_http import SyncFailedError, SyncPausedError
from segments import demo

READY = """
Rollcall is running.

    Address          {endpoint}/
    Login            {username}
    Password         {password}
    Data import key  {key}
    REST API key     {rest_key}

Keys and password are kept in {folder}/ for this demo only: elsewhere a key is shown once and kept as a digest.
Send another cohort:
    .venv/bin/python manage.py simulate_mixpanel --endpoint {endpoint} --key {key} \\
        --cohort-id 42 --name "My cohort" --from FILE.csv
Track a user:
    curl -H "Authorization: Bearer {rest_key}" -H "Content-Type: application/json" {endpoint}/users/track \\
        -d '{{"attributes": [{{"external_id": "me", "first_name": "Ada", "plan": "plus"}}]}}'
Press Ctrl-C to stop.
"""


class Command(BaseCommand):
    """Loads the demo into a running server."""

    help = "Loads demo data, the cohorts over HTTP through the running server, and prints how to look at it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the server's address."""
        parser.add_argument("--endpoint", required=True, metavar="URL")

    def handle(self, *, endpoint: str, **_options: Any) -> None:
        """Load what is missing, and print the address, the login and the key."""
        folder = settings.BASE_DIR / "var"
        try:
            opened = demo.load(endpoint=endpoint, folder=folder, say=self.stdout.write)
        except (SyncPausedError, SyncFailedError) as error:
            raise CommandError(f"The server did not take the demo's cohorts. {error}") from error
        self.stdout.write(READY.format(endpoint=endpoint, folder=folder.name, **vars(opened)))
