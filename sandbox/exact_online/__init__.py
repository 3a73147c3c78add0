"""Exact Online's REST API as its documentation describes it.

Starting point: https://start.exactonline.nl/docs/HlpRestAPIResources.aspx
"""
