"""The search for users in the admin: the page as a browser gets it, without the network."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

ROUNDS = 30


def staff_client() -> Client:
    """Return a browser, so to say, of somebody who may see all pages."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    users = get_user_model().objects
    user, _ = users.get_or_create(username="benchmark", defaults={"is_staff": True, "is_superuser": True})
    client = Client(SERVER_NAME="localhost")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def measure(profiles: int) -> dict[str, float]:
    """Return the median milliseconds of the list of users, and of searches for texts of several kinds."""
    from django.urls import reverse

    client = staff_client()
    address, some = reverse("admin:profiles_profile_changelist"), profiles * 2 // 3
    texts = {
        "none: the newest users": "",
        "an external id": f"user-{some}",
        "an email": f"user-{some}@example.com",
        "the beginning of many external ids": "user-1",
        "nobody's": "nobody-has-this",
    }
    return {name: _median(client, address, text) for name, text in texts.items()}


def _median(client: Client, address: str, text: str) -> float:
    times = []
    for _ in range(ROUNDS + 1):  # the first finds nothing compiled
        began = time.perf_counter()
        answer = client.get(address, {"q": text} if text else {})
        times.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:  # noqa: PLR2004
            raise SystemExit(f"the search for “{text}” answered {answer.status_code}")
    return sorted(times[1:])[ROUNDS // 2]
