"""Who gets mail about which workspace."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from accounts.models import Membership, User, Workspace


def of_user(*, user: User) -> dict[Workspace, bool]:
    """Return the workspaces a user may get mail about, by name, and whether they do."""
    getting = set(user.memberships.filter(gets_mail=True).values_list("workspace", flat=True))
    return {it: it.pk in getting for it in Workspace.objects.for_user(user).order_by("name", "pk")}


@transaction.atomic
def choose(*, user: User, workspaces: Collection[Workspace]) -> None:
    """Let a user get mail about exactly these of their workspaces.

    Operators work in all workspaces and belong to few: they begin to belong to one by wanting its mail.
    """
    user.memberships.exclude(workspace__in=workspaces).update(gets_mail=False)
    user.memberships.filter(workspace__in=workspaces).update(gets_mail=True)
    if user.is_superuser:  # anybody else belongs to theirs already, or not any more
        rows = [Membership(user=user, workspace=workspace) for workspace in workspaces]
        Membership.objects.bulk_create(rows, ignore_conflicts=True)
