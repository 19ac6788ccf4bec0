"""Profiles with the identifiers that matching looks up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import factory
from django.db.models.functions import Now
from factory.django import DjangoModelFactory

from accounts.models import Workspace
from profiles import changes, matching
from profiles.models import Identifier, Profile
from tests import log_witness


class ProfileFactory(DjangoModelFactory[Profile]):
    """One end user of the default workspace, identified unless `anonymous=True`.

    `devices=["x"]` and `aliases=[("label", "name")]` write their identifiers too, and `external_id` always its own.
    """

    class Meta:
        model = Profile
        skip_postgeneration_save = True

    class Params:
        anonymous = factory.Trait(external_id=None)

    workspace = factory.LazyFunction(lambda: Workspace.objects.get(slug="default"))
    external_id = factory.Sequence(lambda n: f"person-{n}")
    email = factory.Sequence(lambda n: f"person-{n}@people.example")

    @factory.post_generation
    def mark(self: Profile, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        mark_existence(self)

    @factory.post_generation
    def devices(self: Profile, create: bool, extracted: Iterable[str] | None, **kwargs: Any) -> None:
        is_identified = self.external_id is not None
        add_identifiers(self, [matching.device_key(it, identified=is_identified) for it in extracted or []])

    @factory.post_generation
    def aliases(
        self: Profile, create: bool, extracted: Iterable[tuple[str, str]] | None, **kwargs: Any
    ) -> None:
        add_identifiers(self, [matching.alias_key(label, name) for label, name in extracted or []])

    @factory.post_generation
    def own_identifier(self: Profile, create: bool, extracted: bool | None, **kwargs: Any) -> None:
        if self.external_id is not None and extracted is not False:
            add_identifiers(self, [matching.external_id_key(self.external_id)])


def add_identifiers(profile: Profile, keys: Iterable[str]) -> None:
    """Give a profile identifiers, as matching's keys."""
    given = list(keys)
    log_witness.know(given)
    Identifier.objects.bulk_create(
        [Identifier(workspace_id=profile.workspace_id, key=key, profile=profile) for key in given]
    )


def make_people(workspace: Workspace, external_ids: Iterable[str]) -> dict[str, int]:
    """Create many identified profiles in two statements; return their ids by external id."""
    wanted = list(external_ids)
    people = Profile.objects.bulk_create([Profile(workspace=workspace, external_id=it) for it in wanted])
    mark_existence(*people)
    log_witness.know(matching.external_id_key(it) for it in wanted)
    Identifier.objects.bulk_create(
        [
            Identifier(
                workspace=workspace, key=matching.external_id_key(person.external_id or ""), profile=person
            )
            for person in people
        ]
    )
    return {person.external_id or "": person.pk for person in people}


def erase(*profiles: Profile) -> None:
    """Erase profiles as the product does: the row stays, its identifiers go, the change is marked."""
    ids = [profile.pk for profile in profiles]
    Identifier.objects.filter(profile_id__in=ids).delete()
    Profile.objects.filter(pk__in=ids).update(deleted_at=Now(), changed_at=Now())
    mark_existence(*profiles)


def mark_existence(*profiles: Profile) -> None:
    """Tell that profiles were created or erased, as all writers of profiles do."""
    for profile in profiles:
        changes.record(
            workspace_id=profile.workspace_id, kind=changes.Kind.EXISTENCE, profile_ids=[profile.pk]
        )
