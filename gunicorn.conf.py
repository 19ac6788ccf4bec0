"""How gunicorn serves Rollcall. It reads this file by its name, from the directory it is started in."""

import gc
import os
from typing import Any

from config import (
    metrics_files as _metrics_files,
)  # gunicorn would take a plain name for a setting of its own
from config.logging import logging_config

bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
# Sync workers measured fastest: a page is a few milliseconds of CPU and of one database connection.
worker_class = "sync"
workers = int(os.environ.get("WEB_CONCURRENCY") or 2 * (os.cpu_count() or 1) + 1)
# The application is loaded once and shared by the workers: less memory, and a fault in it ends the start.
preload_app = True
# Partners give up after 10 s, an admin page may take longer; then the worker is killed and its work rolled back.
timeout = 60
graceful_timeout = 30
# Nobody manages this server through a socket, so none may be there to be found.
control_socket_disable = True
# `config/logging.py` logs every request. What gunicorn itself has to say joins those lines.
accesslog = None
logconfig_dict = logging_config(os.environ.get("LOG_LEVEL", "INFO"))
logconfig_dict["loggers"] |= {
    "gunicorn.error": {"handlers": [], "propagate": True, "level": "WARNING"},
    "gunicorn.access": {"handlers": [], "propagate": False},
}
_metrics_files.prepare(port=os.environ.get("PORT", "8000"))


def on_starting(_server: object) -> None:
    """Begin the metrics anew."""
    _metrics_files.empty()


def child_exit(_server: object, worker: Any) -> None:
    """Leave out the gauges of a worker that ended, whatever ended it."""
    _metrics_files.forget(pid=worker.pid)


def post_fork(_arbiter: object, _worker: object) -> None:
    """Spare the garbage collector what can be none: it took an eighth of the CPU time of a page.

    What was loaded before the fork stays for good; a page's thousands of tuples go by reference count.
    """
    gc.freeze()
    gc.set_threshold(50_000)
