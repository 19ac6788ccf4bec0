"""What the demo's partner sent in the weeks before: so that its cohorts have a past, and their pages something to show."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from accounts.models import Integration, Workspace
from cohorts import imports
from cohorts.imports import Change
from cohorts.models import CohortSync
from cohorts.syncs import Export
from profiles import identifiers
from segments import demo_data
from segments.demo_data import SYNCS, DemoSync

DAYS, PAGE = 100, 1_000
SESSION = "history"  # how the sessions of the past begin, to tell them from those that come over HTTP
STAY_FROM_THE_START, LEAVE_FOR_A_WHILE = 0.6, 0.5
Action = CohortSync.Action
Member = Mapping[str, str]


def load(*, workspace: Workspace, partner: str, now: datetime) -> int:
    """Import what each cohort of the demo was on every day before; return how many syncs that were."""
    integration, _ = Integration.objects.get_or_create(workspace=workspace, partner=partner)
    first_of_each = {sync.cohort_id: sync for sync in reversed(SYNCS)}.values()
    return sum(_load(integration, sync, now) for sync in first_of_each)


def _load(integration: Integration, sync: DemoSync, now: datetime) -> int:
    count, before = 0, frozenset[int]()
    members = [{"mixpanel_distinct_id": next(iter(it.values())), **it} for it in demo_data.members(sync)]
    for ago, wanted in _sets(len(members), seed=sync.seed):
        moment = now - timedelta(days=ago, minutes=37 * sync.seed)
        for action, who in ((Action.ADD_MEMBERS, wanted - before), (Action.REMOVE_MEMBERS, before - wanted)):
            count += _send(integration, sync, action, [members[it] for it in sorted(who)], moment)
        before = wanted
    return count


def _sets(size: int, *, seed: int) -> Iterator[tuple[int, frozenset[int]]]:
    """Yield, for each day from the first on, how long ago it was, and which members there were."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    comes = [0 if chance.random() < STAY_FROM_THE_START else chance.randrange(1, DAYS) for _ in range(size)]
    goes = [chance.randrange(1, DAYS) if chance.random() < LEAVE_FOR_A_WHILE else DAYS for _ in range(size)]
    back = [day + chance.randrange(3, 30) for day in goes]
    for day in range(DAYS):
        yield (
            DAYS - day,
            frozenset(it for it in range(size) if comes[it] <= day and not goes[it] <= day < back[it]),
        )


def _send(
    integration: Integration,
    sync: DemoSync,
    action: CohortSync.Action,
    members: Sequence[Member],
    moment: datetime,
) -> int:
    """Import one sync, page by page, as of a moment; return 1, or 0 if there is nothing to send."""
    pages = [members[start : start + PAGE] for start in range(0, len(members), PAGE)]
    for number, page in enumerate(pages, start=1):
        export = Export(
            partner_cohort_id=sync.cohort_id,
            action=action,
            name=sync.name,
            session_id=f"{SESSION}-{moment:%Y%m%d}",
            page=number,
            total_pages=len(pages),
        )
        imports.apply(
            integration=integration,
            export=export,
            changes=[Change(identifiers.of_members(page), should_remove=action == Action.REMOVE_MEMBERS)],
            digest=imports.digest_of(orjson.dumps(page)),
            now=moment + timedelta(seconds=2 * number),
        )
    return int(bool(pages))
