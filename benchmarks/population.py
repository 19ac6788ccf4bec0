"""Makes a database of its own for a benchmark, with as many profiles as asked for, and keeps it for the next run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

PROFILES = """
    INSERT INTO profiles_profile (workspace_id, external_id, email, first_name, last_name, phone, country, language,
                                  time_zone, custom_attributes)
    SELECT %(workspace)s, 'user-' || n, 'user-' || n || '@example.com', 'First', 'Last', '', 'FR', 'fr', '', '{}'
    FROM generate_series(%(first)s::int, %(last)s::int) n
"""
# Identifiers in the order of their keys: the index is then built once, not page by page in random order.
IDENTIFIERS = """
    INSERT INTO profiles_identifier (workspace_id, key, profile_id)
    SELECT workspace_id, 'e:' || external_id, id FROM profiles_profile
    WHERE id BETWEEN %(first)s AND %(last)s ORDER BY 2
"""
SQLITE_NUMBERS = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
BATCH = 1_000_000


def database_url(base: str, profiles: int, people: str = "") -> str:
    """Return the address of the benchmark's own database beside `base`, made and migrated if it is missing.

    `people` says which ones it holds, if not those that are made here.
    """
    if base.startswith("sqlite"):
        url = f"{base}.bench-{people}{profiles}"
    else:
        parts = urlsplit(base)
        name = f"{parts.path.lstrip('/')}_bench_{people}{profiles}"
        with psycopg.connect(base, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f'CREATE DATABASE "{name}"')
        url = urlunsplit(parts._replace(path=f"/{name}"))
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=True)
    return url


@contextlib.contextmanager
def copied(url: str) -> Iterator[str]:
    """Yield the address of a fresh copy of the database, so that every load finds the same; drop it in the end."""
    copy = _copy_postgresql if not url.startswith("sqlite") else _copy_sqlite
    with copy(url) as address:
        yield address


@contextlib.contextmanager
def _copy_postgresql(url: str) -> Iterator[str]:
    from django.db import connection

    connection.close()  # a database that somebody is connected to is not copied
    parts = urlsplit(url)
    name = parts.path.lstrip("/")
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}_copy"')
        # As files: a copy through the log would still be written out while the load runs.
        admin.execute(f'CREATE DATABASE "{name}_copy" TEMPLATE "{name}" STRATEGY FILE_COPY')
        try:
            yield urlunsplit(parts._replace(path=f"/{name}_copy"))
        finally:
            admin.execute(f'DROP DATABASE "{name}_copy" WITH (FORCE)')


@contextlib.contextmanager
def _copy_sqlite(url: str) -> Iterator[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    file = Path(url.removeprefix("sqlite:///"))
    copy = file.with_name(f"{file.name}-copy")
    shutil.copyfile(file, copy)
    try:
        yield f"{url}-copy"
    finally:
        for name in ("", "-wal", "-shm"):
            copy.with_name(f"{copy.name}{name}").unlink(missing_ok=True)


def populate(profiles: int) -> int:
    """Fill the default workspace up to `profiles`; return its id. Needs Django set up for the database."""
    from django.db import connection

    from accounts.models import Workspace
    from profiles.models import Profile

    workspace = Workspace.objects.get(slug="default").pk
    have = Profile.objects.count()
    if have < profiles:
        print(f"making {profiles - have:,} profiles …", flush=True)
        fill = _fill_postgresql if connection.vendor == "postgresql" else _fill_sqlite
        fill(workspace, have, profiles)
    return workspace


def _fill_postgresql(workspace: int, have: int, profiles: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for first in range(have + 1, profiles + 1, BATCH):
            last = min(first + BATCH - 1, profiles)
            cursor.execute(PROFILES, {"workspace": workspace, "first": first, "last": last})
        cursor.execute(IDENTIFIERS, {"first": have + 1, "last": profiles})
        cursor.execute("VACUUM ANALYZE profiles_profile, profiles_identifier")


def _fill_sqlite(workspace: int, have: int, profiles: int) -> None:
    from django.db import connection

    if have:
        raise SystemExit("This database holds profiles already; name another one.")
    now = "'2026-01-01 00:00:00'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{SQLITE_NUMBERS.format(count=profiles)} INSERT INTO profiles_profile (id, workspace_id, external_id, email,"
            " first_name, last_name, phone, country, language, time_zone, custom_attributes, created_at, changed_at)"
            f" SELECT n, {workspace}, 'user-' || n, '', '', '', '', 'FR', 'fr', '', '{{}}', {now}, {now} FROM s"
        )
        cursor.execute(
            "INSERT INTO profiles_identifier (workspace_id, key, profile_id)"
            " SELECT workspace_id, 'e:' || external_id, id FROM profiles_profile ORDER BY 2"
        )
        cursor.execute("ANALYZE")
