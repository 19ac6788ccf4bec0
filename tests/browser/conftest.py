"""A real Chromium at a real server. Whatever a page complains about fails the test that visited it.

The three personas' fixtures come from `tests/conftest.py`; `sign_in(administrator)` and `page.goto("/admin/")` begin.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, Request

from accounts.models import User, Workspace
from cohorts.models import Cohort
from profiles.models import Profile
from tests.api.clients import Wire
from tests.browser.building import Builder
from tests.browser.calling import Network
from tests.cohorts.factories import CohortFactory
from tests.profiles.factories import ProfileFactory

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
IMPACTS = {"serious", "critical"}
Caller = TypeVar("Caller", bound=Wire)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all that is here; skip it where there is no Chromium, except in CI, where that must fail."""
    skip = pytest.mark.skip(reason="needs Chromium: set CHROMIUM to its path")
    for item in items:
        if "/tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            if not shutil.which(CHROMIUM) and os.environ.get("CI") != "true":
                item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _beside_playwright(request: pytest.FixtureRequest, django_db_setup: None) -> Iterator[None]:
    """Let Django work in the thread in which Playwright, from now on, runs an event loop.

    Django takes that for asynchronous code and gives it a connection of its own; without what the first one
    remembers of the migrated database, tests that commit could not restore it.
    """
    migrated = connection._test_serialized_contents
    request.getfixturevalue("playwright")
    connection._test_serialized_contents = migrated
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="session")
def base_url() -> None:
    """Stand in for the plugin's own fixture, which pytest warns about; `context` knows the address."""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Start the machine's own Chromium, which talks to nobody but us."""
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": ARGUMENTS}


@pytest.fixture
def context(live_server: Any, new_context: Callable[..., BrowserContext]) -> BrowserContext:
    """A browser profile whose addresses are relative to the server."""
    browser = new_context(base_url=live_server.url, locale="en-US", viewport=DESKTOP, reduced_motion="reduce")
    browser.grant_permissions(["clipboard-read", "clipboard-write"])
    browser.set_default_timeout(10_000)
    return browser


@pytest.fixture
def complaints() -> list[str]:
    """What the pages complained about so far; a test that means to provoke some clears it."""
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    """A page whose console errors, CSP violations, script errors and failed requests fail the test at its end."""
    page = context.new_page()
    page.on("console", lambda message: complaints.extend(_errors(message)))
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("requestfailed", lambda request: complaints.extend(_failures(request)))
    yield page
    assert complaints == []


def _errors(message: ConsoleMessage) -> Iterator[str]:
    if message.type in {"error", "warning"}:
        yield f"{message.type}: {message.text} ({message.location.get('url')})"


def _failures(request: Request) -> Iterator[str]:
    if request.failure and "ERR_ABORTED" not in request.failure:  # left behind by going to another page
        yield f"request failed: {request.method} {request.url} ({request.failure})"


@pytest.fixture
def sign_in(live_server: Any, context: BrowserContext) -> Callable[[User], None]:
    """A function that logs a user in without the form."""

    def signed_in(user: User) -> None:
        client = Client()
        client.force_login(user)
        name = django_settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])

    return signed_in


@pytest.fixture
def dialled(live_server: Any, playwright: Playwright) -> Iterator[Callable[[Caller], Caller]]:
    """A function that lets a partner or program of `tests/api/clients.py` call the server by HTTP; returns it."""
    requests = playwright.request.new_context(base_url=live_server.url)

    def dial(caller: Caller) -> Caller:
        caller.http = Network(requests)  # type: ignore[assignment]
        return caller

    yield dial
    requests.dispose()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets the clock of server and jobs so much later (or earlier), counted from the real time."""
    real = timezone.now

    def moved(**distance: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(**distance))

    return moved


@pytest.fixture
def speak(live_server: Any, context: BrowserContext) -> Callable[[str], None]:
    """A function that switches the pages to a language: "en", "fr" or "de"."""

    def spoken(language: str) -> None:
        name = django_settings.LANGUAGE_COOKIE_NAME
        context.add_cookies([{"name": name, "value": language, "url": live_server.url}])

    return spoken


@pytest.fixture
def axe_clean() -> Callable[[Page], None]:
    """A function that asserts that a page has no serious accessibility fault."""

    def clean(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        assert [_finding(fault) for fault in found if fault["impact"] in IMPACTS] == []

    return clean


def _finding(fault: dict[str, Any]) -> str:
    places = [f"{node['target']} {node.get('failureSummary', '')}" for node in fault["nodes"][:5]]
    return f"{fault['id']} ({fault['impact']}): {places}"


@pytest.fixture
def no_overflow() -> Callable[[Page], None]:
    """A function that asserts that a page does not scroll sideways; it names what sticks out."""

    def fits(page: Page) -> None:
        assert page.evaluate(STICKING_OUT) == []

    return fits


# --- for the pages of segments -------------------------------------------------------------------------------
@pytest.fixture
def people(live_server: Any, workspace: Workspace) -> list[Profile]:
    """Eight users."""
    return ProfileFactory.create_batch(8)


@pytest.fixture
def lapsed(people: list[Profile]) -> Cohort:
    """A cohort of the first six."""
    return CohortFactory.create(name="Lapsed subscribers", members=people[:6])


@pytest.fixture
def valuable(people: list[Profile]) -> Cohort:
    """A cohort of the last four."""
    return CohortFactory.create(name="Valuable customers", members=people[4:])


@pytest.fixture
def builder(
    page: Page, sign_in: Callable[[User], None], marketer: User, lapsed: Cohort, valuable: Cohort
) -> Builder:
    """The page of a new segment."""
    sign_in(marketer)
    opened = Builder(page)
    opened.open()
    return opened


# The page's own scrolling width decides; boxes that scroll or clip inside themselves are allowed to be wider.
STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  return [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .map((element) => `${element.tagName}.${element.className} to ${element.getBoundingClientRect().right}`)
    .slice(0, 8)
    .concat(`page ${document.scrollingElement.scrollWidth} > ${width}`);
}"""
