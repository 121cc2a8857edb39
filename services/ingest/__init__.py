"""The write door: events come in over HTTP, are judged one by one, and are in the log before they are acknowledged."""
