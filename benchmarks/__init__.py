"""Measurements behind the figures in the documentation; speeds are compared as ratios within one run."""
