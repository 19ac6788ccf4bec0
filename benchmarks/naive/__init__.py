"""The import as most would write it first: nested serializers, `__in`, `bulk_create` of rows. A yardstick."""
