"""A scrape of `/metrics`, read as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-of-these-tests-0123456789"


class Scrape:
    """The values of one scrape, by name and labels."""

    def __init__(self, text: str) -> None:
        self.all = {
            (it.name, frozenset(it.labels.items())): it.value
            for family in text_string_to_metric_families(text)
            for it in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        """Return a value; None if it was not shown."""
        return self.all.get((name, frozenset(labels.items())))
