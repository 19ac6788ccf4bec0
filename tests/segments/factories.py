"""Segments."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from accounts.models import Workspace
from segments.models import Segment


class SegmentFactory(DjangoModelFactory[Segment]):
    """A segment of the default workspace."""

    class Meta:
        model = Segment

    workspace = factory.LazyFunction(lambda: Workspace.objects.get(slug="default"))
    name = factory.Sequence(lambda n: f"Segment {n}")
