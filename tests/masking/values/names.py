"""What people choose: e-mail addresses and passwords, in forms that suit the text around them."""

from __future__ import annotations

from random import Random
from urllib.parse import quote

from tests.masking.values.value import BASE62, DIGITS, Value, Values, characters

FIRST = (
    "anna", "bjorn", "chen", "dmitri", "elena", "fatima", "george", "hannah", "ivan", "julia", "karim",
    "lucas", "maria", "nikhil", "olga", "pedro", "quentin", "rosa", "sven", "tomasz", "ursula",
    "viktor", "wei", "yusuf",
)  # fmt: skip
LAST = (
    "adams", "becker", "costa", "dubois", "eriksson", "fischer", "garcia", "haddad", "ito", "jansen",
    "kowalski", "lopez", "moreau", "nguyen", "okafor", "petrov", "quinn", "rossi", "schmidt", "tanaka",
    "varga", "weber",
)  # fmt: skip
HOSTS = (
    "gmail.com", "example.com", "outlook.com", "mail.example.co.uk", "corp.example.net", "proton.me",
    "uni-bonn.de", "acme.io", "shop.acme.com.br", "yahoo.co.jp", "startup.dev", "city.gov.pl",
    "example.museum", "web.de",
)  # fmt: skip
WORDS = (
    "winter", "Dragon", "sunshine", "Orange", "coffee", "Falcon", "mountain", "Purple", "summer",
    "Tiger", "monkey", "Welcome", "football", "Blue", "silver", "Rocket", "garden", "Copper", "letmein",
    "Castle", "horse", "battery",
)  # fmt: skip
MARKS = "!#*+-_.^~%"
QUOTED_MARKS = MARKS + "$&=,;: /@()[]{}<>?|"


def email(rng: Random) -> Value:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    number = rng.randrange(1, 999)
    local = rng.choice(
        (
            f"{first}.{last}",
            f"{first}{number}",
            f"{first[0]}{last}",
            f"{first}_{last}",
            f"{first}.{last}+{rng.choice(('news', 'test', 'billing'))}",
            f"{first.title()}.{last.title()}",
            f"{first}-{last}{number}",
        )
    )
    return Value(f"{local}@{rng.choice(HOSTS)}")


def chosen(rng: Random, marks: str) -> str:
    """A password as people and generators make it; it begins and ends with what no syntax claims."""
    made = rng.choice(
        (
            f"{rng.choice(WORDS)}{rng.randrange(10, 9999)}{rng.choice(marks)}{rng.choice(WORDS)}",
            f"{rng.choice(WORDS)}{rng.choice(marks)}{rng.choice(WORDS)}{rng.choice(DIGITS)}",
            characters(rng, BASE62 + marks, rng.randrange(10, 24)),
            characters(rng, BASE62, rng.randrange(8, 20)),
            f"{rng.choice(WORDS)}{rng.randrange(1960, 2030)}!",
            f"{rng.choice(WORDS)}{rng.randrange(100)}{rng.choice(DIGITS)}",
        )
    )
    end = "" if made[-1] in BASE62 + "!" else rng.choice(BASE62)
    return rng.choice(BASE62) + made[1:] + end


def password(rng: Random) -> Value:
    return Value(chosen(rng, MARKS.replace("%", "")))


def quoted(rng: Random) -> Value:
    return Value(chosen(rng, QUOTED_MARKS))


def escaped(rng: Random) -> Value:
    """As JSON writes a password that holds a quotation mark."""
    made = chosen(rng, MARKS)
    middle = len(made) // 2
    return Value(made[:middle] + rng.choice(('\\"', "\\\\", "\\u0026", "\\/")) + made[middle:])


def in_url(rng: Random) -> Value:
    return Value(quote(chosen(rng, QUOTED_MARKS), safe="!*~-_."))


SECRETS: dict[str, Values] = {
    "email": email,
    "password": password,
    "password:quoted": quoted,
    "password:escaped": escaped,
    "password:url": in_url,
    "url_password": in_url,
    "dsn_password": password,
    "dsn_password:quoted": quoted,
    "dsn_password:url": in_url,
}
