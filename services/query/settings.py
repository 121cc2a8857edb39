"""What the read door needs to be told. Environment variables start with LASTINTACT_."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class QuerySettings(BaseSettings):
    """Settings of one read door."""

    model_config = SettingsConfigDict(env_prefix="LASTINTACT_", extra="ignore")

    database_url: str
    """postgresql+psycopg://…; reading rights are enough."""
    pepper_file: Path
    """The secret under which API keys are hashed."""
    pool_size: int = 10
    """Connections at most: questions beyond that wait their turn."""
