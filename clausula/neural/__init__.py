"""Proposals: networks that say how likely each next note is."""
