"""Workspaces, staff and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import factory
from django.contrib.auth.models import Group
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts import calls, keys, roles
from accounts.models import (
    DataImportKey,
    Integration,
    Membership,
    RejectedCall,
    RestApiKey,
    Scope,
    User,
    Workspace,
)

PASSWORD = "correct horse battery staple"


class WorkspaceFactory(DjangoModelFactory[Workspace]):
    """A workspace besides the migrated one, whose slug is `default`."""

    class Meta:
        model = Workspace

    name = factory.Sequence(lambda n: f"Workspace {n}")
    slug = factory.Sequence(lambda n: f"workspace-{n}")


class UserFactory(DjangoModelFactory[User]):
    """A member of staff. `groups` takes role names, `workspaces` takes workspaces; the password is PASSWORD."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@staff.example")
    password = factory.django.Password(PASSWORD)
    is_staff = True

    class Params:
        operator = factory.Trait(is_superuser=True)

    @factory.post_generation
    def groups(self: User, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        if extracted:
            self.groups.set(Group.objects.filter(name__in=extracted))

    @factory.post_generation
    def workspaces(self: User, create: bool, extracted: list[Workspace] | None, **kwargs: Any) -> None:
        for workspace in extracted or []:
            Membership.objects.create(user=self, workspace=workspace)


class IntegrationFactory(DjangoModelFactory[Integration]):
    """A workspace's connection to a partner."""

    class Meta:
        model = Integration
        django_get_or_create = ("workspace", "partner")

    workspace = factory.SubFactory(WorkspaceFactory)
    partner = "mixpanel"


def make_key(workspace: Workspace, partner: str = "mixpanel", **more: Any) -> tuple[DataImportKey, str]:
    """Return a valid data import key and its secret."""
    options = {"label": "", "created_by": None, "now": timezone.now()} | more
    return keys.create(workspace=workspace, partner=partner, **options)


def make_rest_key(workspace: Workspace, *scopes: str, **more: Any) -> tuple[RestApiKey, str]:
    """Return a valid REST API key with these scopes, or with all, and its secret."""
    options = {"label": "", "created_by": None, "now": timezone.now()} | more
    return keys.create_rest(workspace=workspace, scopes=scopes or list(Scope), **options)


def rejection(workspace: Workspace | None, **more: Any) -> calls.Rejection:
    """Return a refusal of a call with an invalidated key of the workspace, or with nobody's."""
    known: dict[str, Any] = {
        "workspace_id": workspace and workspace.pk,
        "partner": "mixpanel",
        "endpoint": "webhook",
        "status": 401,
        "cause": calls.Cause.INVALIDATED_KEY if workspace else calls.Cause.UNKNOWN_KEY,
        "reason": "This data import key was invalidated.",
        "key_prefix": "rc_abcd1234",
        "address": "192.0.2.7",
        "body_bytes": 1_000,
    }
    return calls.Rejection(**known | more)


def make_rejection(workspace: Workspace | None, *, now: datetime | None = None, **more: Any) -> RejectedCall:
    """Return a refusal that was kept."""
    calls.reject(rejection=rejection(workspace, **more), now=now or timezone.now())
    return RejectedCall.objects.latest("last_at", "id")


def make_administrator(*workspaces: Workspace, **more: Any) -> User:
    """Return an administrator of the workspaces."""
    return UserFactory.create(groups=[roles.ADMINISTRATOR], workspaces=list(workspaces), **more)


def make_marketer(*workspaces: Workspace, **more: Any) -> User:
    """Return a marketer of the workspaces."""
    return UserFactory.create(groups=[roles.MARKETER], workspaces=list(workspaces), **more)
