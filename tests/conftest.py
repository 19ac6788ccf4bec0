"""What tests of all apps share: the three personas, a data import key, clients, and a clean slate between tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client
from django.utils import translation
from pytest_django import DjangoDbBlocker

from accounts.models import DataImportKey, User, Workspace
from cohorts import moves
from profiles import events, filter_bitmaps
from tests import change_marker, log_witness
from tests.accounts.factories import WorkspaceFactory, make_administrator, make_key, make_marketer
from tests.scraping import TOKEN, Scrape

DATABASE = {"db", "transactional_db", "live_server"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what needs PostgreSQL elsewhere, and run tests that commit last: they empty the database.

    So each of them first gets back what the migrations made: workspace, roles and schedules.
    """
    for item in items:
        if item.get_closest_marker("postgresql"):
            item.add_marker(pytest.mark.skipif(connection.vendor != "postgresql", reason="needs PostgreSQL"))
        if _commits(item):
            item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False)
    if connection.vendor == "postgresql":
        _look_once(config, items)
    items.sort(key=_commits)


def _look_once(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first variant of what only looks: no language, theme or size depends on the database."""
    seen: set[str] = set()
    again = []
    for item in items:
        name = item.nodeid.partition("[")[0]
        if item.get_closest_marker("looks") and name in seen:
            again.append(item)
        seen.add(name)
    items[:] = [item for item in items if item not in again]
    config.hook.pytest_deselected(items=again)


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(marker and marker.kwargs.get("transaction")) or bool(DATABASE - {"db"} & fixtures)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Keep what the migrations made where every connection finds it, and call the witnesses.

    Django keeps it on one connection; Playwright's event loop gives the thread another one.
    """
    made = getattr(connections["default"], "_test_serialized_contents", None)
    if made is not None:
        type(connections["default"])._test_serialized_contents = made
    with django_db_blocker.unblock():
        change_marker.install()
    log_witness.install()


@pytest.fixture(autouse=True)
def _clean_slate(settings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.AXES_ENABLED = False
    settings.WHITENOISE_AUTOREFRESH = True  # or every test client reads the whole tree of static files
    translation.deactivate()  # a request leaves its language to the thread
    cache.clear()
    events.forget_names()
    moves.forget_marks()
    filter_bitmaps.forget()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def marker_witness(request: pytest.FixtureRequest) -> Iterator[change_marker.Witness | None]:
    """Sees to it, in every test, that each write to a profile is told to `profiles/changes.py`."""
    if not request.node.get_closest_marker("django_db") and not DATABASE & set(request.fixturenames):
        yield None
        return
    request.getfixturevalue("_django_db_helper")
    witness = change_marker.Witness()
    witness.forget()
    yield witness
    assert witness.forgotten() == set(), "written, and not told to profiles/changes.py"


@pytest.fixture(autouse=True)
def logs_witness() -> Iterator[log_witness.Witness]:
    """Sees to it, in every test, that no line of the logs names a person."""
    with log_witness.watching() as witness:
        yield witness
    assert witness.leaks() == [], "the logs name somebody"


@pytest.fixture
def workspace(db: None) -> Workspace:
    """The workspace that the migrations made."""
    return Workspace.objects.get(slug="default")


@pytest.fixture
def other_workspace(db: None) -> Workspace:
    """The stranger's workspace."""
    return WorkspaceFactory.create(name="Elsewhere", slug="elsewhere")


@pytest.fixture
def administrator(workspace: Workspace) -> User:
    """Makes keys and manages the team of the default workspace."""
    return make_administrator(workspace, username="administrator")


@pytest.fixture
def marketer(workspace: Workspace) -> User:
    """Makes segments in the default workspace; sees cohorts, no keys."""
    return make_marketer(workspace, username="marketer")


@pytest.fixture
def stranger(other_workspace: Workspace) -> User:
    """Administrator of another workspace: must never see anything of the default one."""
    return make_administrator(other_workspace, username="stranger")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A function that returns a browser in which the user is logged in."""

    def logged_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return logged_in


@pytest.fixture
def administrator_client(client_of: Callable[[User], Client], administrator: User) -> Client:
    """The administrator's browser."""
    return client_of(administrator)


@pytest.fixture
def marketer_client(client_of: Callable[[User], Client], marketer: User) -> Client:
    """The marketer's browser."""
    return client_of(marketer)


@pytest.fixture
def stranger_client(client_of: Callable[[User], Client], stranger: User) -> Client:
    """The stranger's browser."""
    return client_of(stranger)


@pytest.fixture
def data_import_key(workspace: Workspace) -> tuple[DataImportKey, str]:
    """A valid Mixpanel key of the default workspace, and its secret."""
    return make_key(workspace, "mixpanel")


@pytest.fixture
def scrape(settings, client: Client, db: None) -> Callable[[], Scrape]:
    """A function that scrapes `/metrics`."""
    settings.METRICS_TOKEN = TOKEN

    def scrape() -> Scrape:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return Scrape(answer.content.decode())

    return scrape
