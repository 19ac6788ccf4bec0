"""Makes the themed site of `config/admin.py` the project's admin site, and registers our system checks."""

from django.contrib.admin.apps import AdminConfig


class RollcallAdminConfig(AdminConfig):
    """Django's admin with Rollcall's site."""

    default_site = "config.admin.RollcallAdminSite"

    def ready(self) -> None:
        """Register the checks of the settings."""
        super().ready()
        from config import checks  # noqa: F401, PLC0415 - importing registers them
