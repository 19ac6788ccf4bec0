"""Some of the users that a definition selects, to see whether it means whom one has in mind."""

from __future__ import annotations

import random
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from pyroaring import BitMap

from profiles import numbers
from profiles.models import Profile
from segments import audience
from segments.audience import Question

SAMPLE = 20


def sample(*, question: Question) -> dict[str, Any]:
    """Return SAMPLE users at random, by id, with a few facts each, and how many there are."""
    found = audience.members_of(question=question)
    people = list(Profile.objects.live().in_bitmap(_some(found)).order_by("id"))
    return {"people": [described(person) for person in people], "note": _note(len(people), len(found))}


def _some(found: BitMap) -> BitMap:
    if len(found) <= SAMPLE:
        return found
    places = random.sample(range(len(found)), SAMPLE)
    return BitMap(found[place] for place in places)


def _note(shown: int, total: int) -> str:
    if shown < total:
        return _("{shown} of {users}, chosen at random.").format(shown=shown, users=numbers.users(total))
    return _("These are all.") if total else _("Nobody is in this segment now.")


def described(person: Profile) -> dict[str, Any]:
    """Return a user as the builder shows one."""
    name = f"{person.first_name} {person.last_name}".strip() or str(person)
    ids = [person.external_id or ""] if name != str(person) else []
    facts = [fact for fact in (*ids, person.email, person.country, person.language) if fact]
    url = reverse("admin:profiles_profile_change", args=[person.pk])
    return {"id": person.pk, "name": name, "url": url, "facts": facts}
