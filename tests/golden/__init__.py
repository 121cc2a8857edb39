"""Explanations word for word, as claims staff would send them; one file for each story that is told."""
