"""A second solver, slow and simple, written from the text of the rules alone: it holds the first one to them.

It imports the vocabulary of `schemas` and nothing of the services. Every rule is one function that cites its number.
"""
