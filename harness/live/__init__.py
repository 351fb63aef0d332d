"""The live page of a run: what it shows, what a person may ask for, and who may ask."""
