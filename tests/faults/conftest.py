"""Engines on fresh databases."""

from tests.engines import empty_archive, engine

__all__ = ["empty_archive", "engine"]
