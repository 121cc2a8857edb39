"""Stories: claims written down as files, turned into real events, and held against the answers."""
