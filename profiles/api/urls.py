"""The REST API of users. Clients send no trailing slash; some do."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
