"""The processor `mask`: takes secrets out of records before they are persisted anywhere.

A rule is a line of a table in `rules/`: one file for each family, with the examples that are its test.
"""
