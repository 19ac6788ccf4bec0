"""What every app's metrics share: one registry, which `/metrics` shows.

Labels are few and known: routes, slugs and ids that somebody of the staff made, never what a caller chose.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, disable_created_metrics

# Ours alone: the library's own one adds the figures of whichever process answers the scrape.
MEASURED = CollectorRegistry()
# When each series began: as many series again, which nobody asks for and several processes could not add up.
disable_created_metrics()
