"""The vendors: one folder each, the only places that know a vendor's paths, fields, limits, dates and error texts.

A bookkeeping package is a folder here whose ``imports.py`` holds a ``PACKAGE``; nothing else has to name it.
"""
