"""The two roles of staff, as Django groups. Each app's migrations grant what the roles may do with its models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.management import create_permissions

ADMINISTRATOR = "Administrator"
MARKETER = "Marketer"


def grant(apps: Any, *, app_label: str, role: str, permissions: Iterable[str]) -> None:
    """Give `role` permissions such as "view_cohort". For migrations: `apps` is their historical registry.

    Django makes permissions only after all migrations ran; they are made here before, so that they can be given.
    """
    config = apps.get_app_config(app_label)
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
    wanted = apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label=app_label, codename__in=list(permissions)
    )
    group.permissions.add(*wanted)
