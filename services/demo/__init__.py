"""The demo: a system of its own, three real cases and a simulated day told to it over HTTP, and its answers printed."""

from services.demo.run import run

__all__ = ["run"]
