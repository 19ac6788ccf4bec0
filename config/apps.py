"""Makes the themed site of `config/admin.py` the project's admin site."""

from django.contrib.admin.apps import AdminConfig


class RollcallAdminConfig(AdminConfig):
    """Django's admin with Rollcall's site."""

    default_site = "config.admin.RollcallAdminSite"
