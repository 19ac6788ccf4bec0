"""The application without its change marker: what the marker costs is the difference. Nothing else may use it."""

from typing import Any

from config.wsgi import application
from profiles import changes

__all__ = ["application"]


def _nothing(**_what: Any) -> None:
    """Record nothing."""


changes.record = _nothing
