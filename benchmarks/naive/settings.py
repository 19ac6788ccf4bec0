"""The project's settings with the naive endpoints in place of its own."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.naive"]  # noqa: F405
ROOT_URLCONF = "benchmarks.naive.urls"
