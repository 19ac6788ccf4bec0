"""`manage.py create_rest_api_key --workspace SLUG --scopes users.track,users.identify|all [--label TEXT]`"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import keys
from accounts.management.arguments import label_of_key, workspace_named
from accounts.models import Scope

ALL = "all"


class Command(BaseCommand):
    """Creates a REST API key."""

    help = "Creates a REST API key and prints it, alone. It is shown this once only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose key it is to be, and what it may do."""
        parser.add_argument("--workspace", required=True, metavar="SLUG")
        parser.add_argument("--scopes", required=True, metavar="SCOPE,SCOPE|all", help=", ".join(Scope))
        parser.add_argument("--label", default="", metavar="TEXT")

    def handle(self, *, workspace: str, scopes: str, label: str, **_options: Any) -> None:
        """Create the key and print its secret."""
        wanted = list(Scope) if scopes == ALL else [scope.strip() for scope in scopes.split(",")]
        try:
            _, secret = keys.create_rest(
                workspace=workspace_named(workspace),
                label=label_of_key(label),
                scopes=wanted,
                created_by=None,
                now=timezone.now(),
            )
        except keys.InvalidScopesError as error:
            raise CommandError(f"{error} There are: {', '.join(Scope)}, or all.") from error
        self.stdout.write(secret)
