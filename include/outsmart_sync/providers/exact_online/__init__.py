"""Exact Online, REST API v1: one instance per country, OAuth, OData version 2 style answers."""
