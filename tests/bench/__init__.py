"""Measurements, run by `make bench`. A timing is a row here, never an assertion in a test."""
