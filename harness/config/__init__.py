"""Scenario, suite, stack and gate files: YAML in, nouns out, every mistake with its line and remedy."""
