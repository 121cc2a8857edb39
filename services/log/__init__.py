"""The event log: a small port, and its memory, table and Kafka adapters."""
