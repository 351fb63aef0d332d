"""The table of rules, one file for each family; a rule's examples are its test.

Where two rules find the same text, the one that stands first here names it.
"""

from __future__ import annotations

from logging_system.masking.rule import Rule
from logging_system.masking.rules.bank_accounts import BANK_ACCOUNTS
from logging_system.masking.rules.cards import CARDS
from logging_system.masking.rules.cloud_keys import CLOUD_KEYS
from logging_system.masking.rules.columns import COLUMNS
from logging_system.masking.rules.commands import COMMANDS
from logging_system.masking.rules.dialogues import DIALOGUES
from logging_system.masking.rules.email_addresses import EMAIL_ADDRESSES
from logging_system.masking.rules.http_credentials import HTTP_CREDENTIALS
from logging_system.masking.rules.json_web_tokens import JSON_WEB_TOKENS
from logging_system.masking.rules.named_values import NAMED_VALUES
from logging_system.masking.rules.national_ids import NATIONAL_IDS
from logging_system.masking.rules.phone_numbers import PHONE_NUMBERS
from logging_system.masking.rules.private_keys import PRIVATE_KEYS
from logging_system.masking.rules.repository_tokens import REPOSITORY_TOKENS
from logging_system.masking.rules.service_tokens import SERVICE_TOKENS
from logging_system.masking.rules.told_values import TOLD_VALUES
from logging_system.masking.rules.url_passwords import URL_PASSWORDS

FAMILIES: dict[str, tuple[Rule, ...]] = {
    "Private keys": PRIVATE_KEYS,
    "Keys of cloud providers": CLOUD_KEYS,
    "Tokens of repositories and registries": REPOSITORY_TOKENS,
    "Tokens of services": SERVICE_TOKENS,
    "JSON web tokens": JSON_WEB_TOKENS,
    "HTTP headers": HTTP_CREDENTIALS,
    "Passwords in URLs": URL_PASSWORDS,
    "Named values in texts": NAMED_VALUES,
    "Passwords on command lines": COMMANDS,
    "Values under a column's name": COLUMNS,
    "Commands of protocols": DIALOGUES,
    "Values told in texts": TOLD_VALUES,
    "Payment cards": CARDS,
    "Bank accounts": BANK_ACCOUNTS,
    "E-mail addresses": EMAIL_ADDRESSES,
    "Telephone numbers": PHONE_NUMBERS,
    "National identity numbers": NATIONAL_IDS,
}
"""Rules by family, as the reference page shows them."""

RULES: tuple[Rule, ...] = tuple(rule for family in FAMILIES.values() for rule in family)
