"""PURE. The reasoning about custody: from recorded events to who held it, who saw what, and who answers."""
