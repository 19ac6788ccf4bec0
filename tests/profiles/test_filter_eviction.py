"""Filter bitmaps make room: those that nobody asked for in a while go, and the longest unused beyond the space."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from profiles import changes, filter_bitmaps
from profiles.models import FilterBitmap
from tests.profiles.factories import ProfileFactory
from tests.profiles.questions import FRENCH, LYONNAIS, all_kept, kept

pytestmark = pytest.mark.django_db


def keep(workspace, name, *, days=0.0, size=10):
    used_at = timezone.now() - timedelta(days=days)
    return FilterBitmap.objects.create(
        workspace=workspace,
        digest=name.encode(),
        members=b"",
        size_bytes=size,
        as_of=used_at,
        used_at=used_at,
    )


def names():
    return {bytes(digest).decode() for digest in FilterBitmap.objects.values_list("digest", flat=True)}


def test_what_nobody_asked_for_in_a_while_goes(workspace, settings):
    settings.FILTER_BITMAP_DAYS = 3
    keep(workspace, "old", days=3.1), keep(workspace, "used", days=2.9), keep(workspace, "new")
    assert filter_bitmaps.evict(now=timezone.now()) == 1
    assert names() == {"used", "new"}


def test_beyond_the_space_the_longest_unused_go(workspace, other_workspace, settings):
    settings.FILTER_BITMAPS_MB = 3
    for place, name in enumerate("abcde"):
        keep(workspace if place % 2 else other_workspace, name, days=place / 10, size=1024**2)
    assert filter_bitmaps.evict(now=timezone.now()) == 2
    assert names() == {"a", "b", "c"}
    assert filter_bitmaps.evict(now=timezone.now()) == 0


def test_what_was_evicted_is_computed_anew(workspace, settings):
    ann = ProfileFactory.create(country="FR")
    kept(workspace, FRENCH)
    settings.FILTER_BITMAPS_MB = 0
    assert filter_bitmaps.evict(now=timezone.now()) == 1
    assert kept(workspace, FRENCH) == {ann.pk}


def test_use_is_noted_once_an_hour_at_most(workspace):
    kept(workspace, FRENCH), kept(workspace, LYONNAIS)
    now = changes.as_of()
    recently, earlier = now - timedelta(minutes=50), now - timedelta(minutes=70)
    FilterBitmap.objects.filter(digest=FRENCH.digest).update(used_at=recently)
    FilterBitmap.objects.filter(digest=LYONNAIS.digest).update(used_at=earlier)
    all_kept(workspace, FRENCH, LYONNAIS)
    assert used_at(FRENCH) == recently
    assert used_at(LYONNAIS) >= now


def used_at(query):
    return FilterBitmap.objects.get(digest=query.digest).used_at
