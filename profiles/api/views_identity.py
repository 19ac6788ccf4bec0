"""The endpoints of the users' REST API that say who is who: aliases, identify, merge, delete, export, rename."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.models import Scope
from profiles import erasure, identity, identity_names, identity_objects, person
from profiles.api import schema_identity
from profiles.api.views import UsersView
from profiles.identity import Author, Outcomes
from profiles.identity_objects import Fault, Objects
from profiles.tracking_objects import RequestError

PROCESSED = {
    "aliases_to_identify": "aliases_processed",
    "emails_to_identify": "emails_processed",
    "phone_numbers_to_identify": "phone_numbers_processed",
    "user_aliases": "aliases_processed",
    "alias_updates": "aliases_processed",
    "merge_updates": "merges_processed",
}


class IdentityView(UsersView):
    """What these endpoints share: who asks, and how a request that makes no sense is refused."""

    @property
    def call(self) -> dict[str, Any]:
        """What every operation is told."""
        return {
            "workspace_id": self.workspace.pk,
            "author": Author(key_prefix=self.key.prefix),
            "now": timezone.now(),
        }

    def handle_exception(self, exc: Exception) -> Response:
        """Answer an error; a request of which nothing can be applied names the fields at fault."""
        if isinstance(exc, RequestError):
            exc = ValidationError(
                {name or api_settings.NON_FIELD_ERRORS_KEY: text for name, text in exc.faults.items()}
            )
        return super().handle_exception(exc)


class NewAliasView(IdentityView):
    """`POST /users/alias/new`"""

    required_scope = Scope.USERS_ALIAS_NEW

    @extend_schema(**schema_identity.NEW_ALIAS)
    def post(self, request: Request) -> Response:
        """Give users aliases; make users that have nothing else."""
        objects = identity_objects.new_aliases(self.body)
        return _answer(objects, identity.add_aliases(aliases=objects.items, **self.call))


class UpdateAliasView(IdentityView):
    """`POST /users/alias/update`"""

    required_scope = Scope.USERS_ALIAS_UPDATE

    @extend_schema(**schema_identity.UPDATE_ALIAS)
    def post(self, request: Request) -> Response:
        """Let aliases be called otherwise."""
        objects = identity_objects.alias_renames(self.body)
        return _answer(objects, identity.rename_aliases(renames=objects.items, **self.call))


class IdentifyView(IdentityView):
    """`POST /users/identify`"""

    required_scope = Scope.USERS_IDENTIFY

    @extend_schema(**schema_identity.IDENTIFY)
    def post(self, request: Request) -> Response:
        """Give anonymous users external ids."""
        with_data = identity_objects.with_data(self.body)
        objects = identity_objects.to_identify(self.body)
        return _answer(objects, identity.identify(pairs=objects.items, with_data=with_data, **self.call))


class MergeView(IdentityView):
    """`POST /users/merge`"""

    required_scope = Scope.USERS_MERGE

    @extend_schema(**schema_identity.MERGE)
    def post(self, request: Request) -> Response:
        """Let users become part of others."""
        objects = identity_objects.merges(self.body)
        outcomes = identity.merge(pairs=objects.items, **self.call)
        return _answer(objects, outcomes, code=status.HTTP_202_ACCEPTED)


class RenameView(IdentityView):
    """`POST /users/external_ids/rename`"""

    required_scope = Scope.USERS_EXTERNAL_IDS_RENAME

    @extend_schema(**schema_identity.RENAME)
    def post(self, request: Request) -> Response:
        """Give users other external ids."""
        objects = identity_objects.external_id_renames(self.body)
        outcomes = identity.rename(renames=objects.items, **self.call)
        renamed = [
            new for (_current, new), error in zip(objects.items, outcomes, strict=True) if error is None
        ]
        errors = [[it.position, it.reason] for it in objects.faults_with(outcomes)]
        answer = {"message": "success", "external_ids": renamed, "rename_errors": errors}
        return Response(answer, status.HTTP_201_CREATED)


class DeleteView(IdentityView):
    """`POST /users/delete`"""

    required_scope = Scope.USERS_DELETE

    @extend_schema(**schema_identity.DELETE)
    def post(self, request: Request) -> Response:
        """Erase users."""
        erased = erasure.erase(names=identity_objects.to_delete(self.body), **self.call)
        return Response({"deleted": len(set(erased.values())), "message": "success"}, status.HTTP_201_CREATED)


class ExportView(IdentityView):
    """`POST /users/export/ids`"""

    required_scope = Scope.USERS_EXPORT_IDS

    @extend_schema(**schema_identity.EXPORT)
    def post(self, request: Request) -> Response:
        """Return what is known of users."""
        names = identity_objects.to_export(self.body)
        fields = identity_objects.fields_to_export(self.body)
        found = identity_names.everybody(workspace_id=self.workspace.pk, names=names)
        profile_ids = {profile_id for ids in found.values() for profile_id in ids}
        people = person.describe_all(workspace_id=self.workspace.pk, profile_ids=profile_ids, fields=fields)
        unknown = [identity_objects.label_of(name) for name in names if name not in found]
        answer = {"message": "success", "users": list(people.values())}
        return Response(answer | ({"invalid_user_ids": unknown} if unknown else {}), status.HTTP_201_CREATED)


def _answer(objects: Objects[Any], outcomes: Outcomes, *, code: int = status.HTTP_201_CREATED) -> Response:
    """Return how the objects fared; 400 if none could be applied."""
    faults = objects.faults_with(outcomes)
    errors = {"errors": [_error(fault) for fault in faults]} if faults else {}
    if faults and all(outcomes):
        message = f"Nothing was applied. {faults[0].reason}"
        return Response({"message": message} | errors, status.HTTP_400_BAD_REQUEST)
    return Response({**_counts(objects, outcomes), "message": "success", **errors}, code)


def _counts(objects: Objects[Any], outcomes: Sequence[Exception | None]) -> Mapping[str, int]:
    counts = {PROCESSED[fault.array]: 0 for fault in objects.faults}
    for (array, _position), error in zip(objects.places, outcomes, strict=True):
        counts[PROCESSED[array]] = counts.get(PROCESSED[array], 0) + (error is None)
    return counts


def _error(fault: Fault) -> dict[str, Any]:
    return {"type": fault.reason, "input_array": fault.array, "index": fault.position}
