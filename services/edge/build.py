"""Which build this is."""

from importlib.metadata import PackageNotFoundError, version


def build_version() -> str:
    """The installed version, or `source` when run from a checkout that is not installed."""
    try:
        return version("lastintact")
    except PackageNotFoundError:
        return "source"
