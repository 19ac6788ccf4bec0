"""Indexes that several columns have alike."""

from __future__ import annotations

from django.db import models


def by_prefix(column: str) -> models.Index:
    """Return an index of a profile's text: it finds whole texts, and those that begin with one, in any collation.

    Only PostgreSQL knows operator classes; SQLite compares bytes anyway.
    """
    return models.Index(
        fields=["workspace", column],
        name=f"profile_{column}",
        condition=~models.Q(**{column: ""}),
        opclasses=("int8_ops", "varchar_pattern_ops"),
    )
