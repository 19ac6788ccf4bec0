"""`manage.py create_data_import_key --workspace SLUG --partner mixpanel [--label TEXT]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import keys
from accounts.management.arguments import label_of_key, workspace_named
from accounts.models import partner_validator


class Command(BaseCommand):
    """Creates a data import key."""

    help = "Creates a data import key and prints it, alone. It is shown this once only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose key it is to be."""
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--partner", required=True, metavar="mixpanel")
        parser.add_argument("--label", default="", metavar="TEXT")

    def handle(self, *, workspace: str, partner: str, label: str, **_options: Any) -> None:
        """Create the key and print its secret."""
        owner = workspace_named(workspace)
        try:
            partner_validator(partner)
        except ValidationError as error:
            raise CommandError(f"“{partner}” is no partner. {error.message}") from error
        _, secret = keys.create(
            workspace=owner, partner=partner, label=label_of_key(label), created_by=None, now=timezone.now()
        )
        self.stdout.write(secret)
