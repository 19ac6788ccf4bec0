import stat

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.utils import timezone

from accounts import keys
from accounts.models import Allotment, DataImportKey, DataPointUsage, User
from cohorts import history
from cohorts.models import Cohort, CohortSync
from profiles import universe
from profiles.models import CustomEvent, EventName, PeopleCount, Profile
from segments import audience, demo, demo_data, demo_days, demo_events, filters
from segments.models import Segment, SegmentSize

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def small_demo(monkeypatch):
    monkeypatch.setattr(demo_data, "PROFILES", 300)


def load(live_server, folder) -> demo.Secrets:
    return demo.load(endpoint=live_server.url, folder=folder, say=lambda _text: None)


def test_demo_has_people_cohorts_that_came_over_http_and_segments_that_select_somebody(
    workspace, live_server, tmp_path
):
    load(live_server, tmp_path)
    assert Profile.objects.count() == 300
    assert Profile.objects.filter(external_id=None).count() == 300 // demo_data.ANONYMOUS_EVERY
    assert set(Cohort.objects.values_list("name", flat=True)) == {sync.name for sync in demo_data.SYNCS}
    assert set(CohortSync.objects.values_list("status", flat=True)) == {CohortSync.Status.COMPLETE}
    assert CohortSync.objects.filter(unknown_count__gt=0).exists()
    for segment in Segment.objects.for_workspace(workspace):
        tree = filters.parse(segment.definition)
        assert 0 < len(audience.members(workspace=workspace, tree=tree, now=timezone.now())) < 300


def test_second_run_changes_nothing_and_tells_the_same(workspace, live_server, tmp_path):
    first = load(live_server, tmp_path)
    kinds = (Profile, Cohort, CohortSync, Segment, DataImportKey, User)
    before = [kind.objects.count() for kind in kinds]
    assert load(live_server, tmp_path) == first
    assert [kind.objects.count() for kind in kinds] == before


def test_key_and_password_work_and_only_their_owner_can_read_them(workspace, live_server, tmp_path):
    opened = load(live_server, tmp_path)
    assert keys.verify(secret=opened.key, partner="mixpanel", now=timezone.now())
    assert User.objects.get(username=opened.username).check_password(opened.password)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {0o600}


def test_secrets_that_no_longer_fit_are_made_anew(workspace, live_server, tmp_path):
    first = load(live_server, tmp_path)
    DataImportKey.objects.update(invalidated_at=timezone.now())
    User.objects.update(password="!")
    second = load(live_server, tmp_path)
    assert (second.key, second.password) != (first.key, first.password)
    assert keys.verify(secret=second.key, partner="mixpanel", now=timezone.now())


def test_command_prints_address_login_and_key(workspace, live_server, tmp_path, settings, capsys):
    settings.BASE_DIR = tmp_path
    (tmp_path / "var").mkdir()
    call_command("load_demo", "--endpoint", live_server.url)
    told = capsys.readouterr().out
    for secret in ("demo-key", "demo-password"):
        assert (tmp_path / "var" / secret).read_text() in told
    assert f"{live_server.url}/" in told


def test_command_says_that_the_server_did_not_take_the_cohorts(workspace, live_server, tmp_path, settings):
    settings.BASE_DIR = tmp_path
    (tmp_path / "var").mkdir()
    with pytest.raises(CommandError, match=r"did not take the demo's cohorts\. 404"):
        call_command("load_demo", "--endpoint", f"{live_server.url}/elsewhere")


def test_demo_has_events_and_purchases_that_came_over_http(workspace, live_server, tmp_path):
    load(live_server, tmp_path)
    names = EventName.objects.filter(workspace=workspace)
    assert set(names.filter(kind="custom").values_list("name", flat=True)) == {
        name for name, _often in demo_events.EVENTS
    }
    assert names.filter(kind="purchase").exists()
    assert CustomEvent.objects.filter(profile__external_id=None).exists()
    assert Profile.objects.exclude(date_of_birth=None).exists()


def test_events_that_are_sent_again_within_the_hour_do_not_count_twice(workspace, live_server, tmp_path):
    opened = load(live_server, tmp_path)
    before = CustomEvent.objects.filter(name__kind="custom").aggregate(Sum("count"))
    demo._send_events(live_server.url, opened.rest_key, now=demo._hour())
    assert CustomEvent.objects.filter(name__kind="custom").aggregate(Sum("count")) == before


def test_demo_has_a_past_which_is_invented_once(workspace, live_server, tmp_path):
    load(live_server, tmp_path)
    kinds = (Allotment, DataPointUsage, PeopleCount, SegmentSize)
    before = [kind.objects.count() for kind in kinds]
    assert min(before) > 0
    newest = PeopleCount.objects.latest("day")
    assert newest.identified_count + newest.anonymous_count == 300
    assert PeopleCount.objects.count() == demo_days.DAYS + 1
    load(live_server, tmp_path)
    assert [kind.objects.count() for kind in kinds] == before


def test_cohorts_of_the_demo_have_a_past_in_which_users_come_and_go(workspace, live_server, tmp_path):
    load(live_server, tmp_path)
    now = timezone.now()
    live = universe.live(workspace_id=workspace.pk)
    cohorts = list(Cohort.objects.for_workspace(workspace))
    for known in history.of(cohorts=cohorts, within=live, days=90, now=now).values():
        assert len(known.days) == 90
        assert all(day.size for day in known.days)
        assert sum(day.left for day in known.days[:-1]) > 0
    assert DataPointUsage.objects.values("day").distinct().count() > 50
