"""`manage.py create_data_import_key --workspace SLUG --partner mixpanel [--label TEXT]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import keys
from accounts.models import Workspace, partner_validator

MAX_LABEL_LENGTH = 100


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
        owner = Workspace.objects.filter(slug=workspace).first()
        if owner is None:
            raise CommandError(f"There is no workspace “{workspace}”.")
        try:
            partner_validator(partner)
        except ValidationError as error:
            raise CommandError(f"“{partner}” is no partner. {error.message}") from error
        if len(label) > MAX_LABEL_LENGTH:
            raise CommandError(f"The label has {len(label)} characters; {MAX_LABEL_LENGTH} are allowed.")
        _, secret = keys.create(
            workspace=owner, partner=partner, label=label, created_by=None, now=timezone.now()
        )
        self.stdout.write(secret)
