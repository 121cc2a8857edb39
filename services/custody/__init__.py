"""The custody projector: a pure core that reasons, and a thin shell that reads the log and writes rows."""
