"""Reads for the read door. A question sees one snapshot: what one transaction wrote is seen whole or not at all."""

from services.query.repository.snapshot import Installation, Moment, Question, Repository, Snapshot

__all__ = ["Installation", "Moment", "Question", "Repository", "Snapshot"]
