"""Settings of the write door, from the environment: LASTINTACT_ and the name in capitals."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestSettings(BaseSettings):
    """What the write door must be told. Nothing is read before one of these is made."""

    model_config = SettingsConfigDict(env_prefix="LASTINTACT_", frozen=True, extra="ignore")

    database_url: str
    """postgresql+psycopg://..., for keys, identities and refusals, and for the log where Kafka is not used."""
    pepper_file: Path
    """The secret under which keys are hashed; made on first use. Keep it apart from the database's backups."""
    kafka_bootstrap: str | None = None
    """HOST:PORT of a Kafka broker; None: the log is a table of the database."""
    story_clock: bool = False
    """Take record times from requests. Only for stories, on a database that was begun so."""
    append_seconds: float = Field(10.0, gt=0)
    """How long a request may take to be recorded before it is answered 503."""
    concurrent_posts: int = Field(8, ge=1)
    """How many requests are worked on at once; each needs a connection of the pool."""
    waiting_posts: int = Field(64, ge=0)
    """How many more may wait for their turn; the next is answered 503 at once."""
