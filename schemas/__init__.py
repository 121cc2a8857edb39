"""The contract that every service shares: words, identifiers, events, bytes, topics and read-model tables."""
