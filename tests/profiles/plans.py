"""How the database would find what a query asks for."""

from __future__ import annotations

from django.db import connection


def plan_of(sql: str) -> str:
    """Return the plan of a query; PostgreSQL's without reading a whole table, as if that were large."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", "bitmapscan"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%", "%%"))
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
