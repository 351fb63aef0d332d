"""The kinds of rules, each a declaration and the machine that it makes: one file and one line here."""

from __future__ import annotations

from logging_system.alerting.rules.error_count import ErrorCount

Rule = ErrorCount
"""What the file may declare as a rule, told apart by `kind`."""
