"""The team: who may change whose account, and what a member's role and workspaces are."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.models import Membership, User, Workspace

ROLES = {roles.ADMINISTRATOR: _("Administrator"), roles.MARKETER: _("Marketer")}


def visible_to(*, editor: User, workspace: Workspace) -> QuerySet[User]:
    """Return the accounts of a workspace's team; operators see each other too, and those who belong nowhere."""
    members = Q(pk__in=Membership.objects.filter(workspace=workspace).values("user"))
    if editor.is_superuser:
        nowhere = ~Q(pk__in=Membership.objects.values("user"))
        return User.objects.filter(members | nowhere | Q(is_superuser=True))
    return User.objects.filter(members, is_superuser=False)


def may_change(*, editor: User, user: User) -> bool:
    """Whether the editor may change the account, its password included.

    A role counts in all workspaces of its account, so whoever could change an account that also works in a workspace
    they are not in, or that may do more than they may, could act there in its name.
    """
    if editor.is_superuser:
        return True
    own = Workspace.objects.for_user(editor)
    elsewhere = Membership.objects.filter(user=user).exclude(workspace__in=own)
    beyond = _permissions(user).exclude(pk__in=_permissions(editor).values("pk"))
    return not (user.is_superuser or elsewhere.exists() or beyond.exists())


def _permissions(user: User) -> QuerySet[Permission]:
    # Asked of the tables, because Django says of accounts that are not active that they may do nothing.
    return Permission.objects.filter(Q(user=user) | Q(group__user=user))


@transaction.atomic
def assign(*, user: User, role: str, workspaces: Iterable[Workspace]) -> None:
    """Give the account one role instead of another, and let it work in exactly these workspaces."""
    user.groups.remove(*Group.objects.filter(name__in=ROLES).exclude(name=role))
    user.groups.add(Group.objects.get(name=role))
    wanted = list(workspaces)
    user.memberships.exclude(workspace__in=wanted).delete()
    rows = [Membership(user=user, workspace=workspace) for workspace in wanted]
    Membership.objects.bulk_create(rows, ignore_conflicts=True)


def remove(*, users: QuerySet[User], workspace: Workspace) -> int:
    """End the work of these accounts in one workspace, whatever else they do; return how many worked there."""
    count, _by_model = Membership.objects.filter(workspace=workspace, user__in=users.values("pk")).delete()
    return count
