"""Values behind a name that says what they are: `password=…`, `"api_key": "…"`, `--token …`, `<secret>…`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from logging_system.masking.denied_names import (
    CREDENTIALS,
    NAMED,
    PART_OF_NAME,
    PASSWORDS,
    SHORT_PASSWORDS,
    words_of,
)
from logging_system.masking.placeholders import is_placeholder, is_varied, is_word
from logging_system.masking.rule import Rule, Span

_SHORT = words_of(SHORT_PASSWORDS)
_NUMBER = r"(?:[-_]?[0-9]{1,3})?"
_PASSWORDS = (
    rf"(?:{words_of(PASSWORDS)}|(?:^|[^A-Za-z0-9]|-D)(?:{_SHORT})"
    rf"|(?-i:[a-z0-9](?:Pass|Pwd|Pin|Cvv)))s?{_NUMBER}"
)
_CREDENTIALS = rf"(?:{words_of(CREDENTIALS)})s?{_NUMBER}"
_LONG = words_of((*PASSWORDS, *CREDENTIALS))
_ALL = words_of((*PASSWORDS, *CREDENTIALS, *SHORT_PASSWORDS))
_QUOTE = r"""(?:\\{1,8}["']|["'`]|&(?:amp;){0,3}(?:quot|apos|#3[49]|#x2[27]);)"""
_COLOURS = r"\x1b{0,40}"
_SIGN = (
    r"(?:=>|->|→|\)=|:{1,3}=|:\s?&?[sS]tr(?:ing)?\s?=|[:.?+]?==?|::\s|:|\\u003d"
    r"|%(?:25){0,3}3(?:D|A(?:%(?:25){0,3}22)?))"
)
_TO_VALUE = (
    rf"{_QUOTE}?(?:\[?\]|%22|%5D)?{_COLOURS}(?:\s|\.\.){{0,20}}{_SIGN}"
    r"(?:\*\*\s|</[a-z]{1,10}>)?(?:\r?\n[ \t]{0,12}-\s|[ \t]{0,20}|\s{0,3}|\r?\n[ \t]{1,12})"
    rf"{_COLOURS}"
    r"(?:!![a-z]{1,10}\s|&[\w-]{1,40}\s{1,3})?"
)
_WRAPPER = (
    r"(?:bytearray|bytes|str|String|Some|Just|Ok|Optional|Secret(?:Str|Bytes)?|(?:frozen)?set|tuple|list)\("
)
# A block of YAML; in what a language wraps a text in; in brackets all of it; quoted with escapes, in any
# quotes; bare. What does not end was cut.
_VALUE = (
    r"""(?:[|>][+-]?\s?(?:\r?\n|\\n)\s{1,40}([^\n\\]+)"""
    rf"""|(?:{_WRAPPER})[\[({{]{{0,2}}[bBuUrR]?(?:"([^"\\]+)|'([^'\\]+))"""
    r"""|[\[{(]([^\]})]+)|\\{1,8}["']([^"'\\]+)|[bBuUrR]?(?:\"""|")((?:[^"\\]|\\.)+)"""
    r"""|[bBuUrR]?(?:'''|')((?:[^'\\]|\\.)+)|&(?:amp;){0,3}(?:quot|apos|#3[49]|#x2[27]);([^&]+)|`([^`]+)|((?:[^\s"'`;&\\\x1b]|\\+[^nr\\\s"'`;&\x1b])+))"""
)
_PAIR = r"""["'],\s{0,3}[bBuU]?(?:"([^"]+)|'([^']+))"""
_NEXT_NAME = re.compile(r",(?=\s|$|[\w.-]{1,64}[\"']?[=:])|[)\]}>]{1,8}[,.:]?$|[.,:]{1,8}$")
_MASKED_BEFORE = re.compile(r"\[masked:[^\]\s]{1,200}\](?=[,.:)\]}>]*(?:,|$))")
_QUOTED_NAME = re.compile(r"""["'`]\]?\s{0,3}(?:=>|:=|==?|:|,)\s{0,3}[bBuUrR]?\\{0,4}["']$""")
_ASSIGNED = re.compile(r"=\s?[\"'`\[({]$")
_NEXT_PAIR = re.compile(r"[A-Za-z_][\w.-]*=(?!=*$).*|[\w.-]+:$", re.DOTALL)
_NAME_BELOW = re.compile(
    r"[A-Za-z_][\w.-]{0,64}\s?[:=](?:\s|$)|[A-Za-z_][\w.-]{0,64}=[^=\s]|[A-Za-z_][\w.-]{0,64}=$"
)
_MIXED = re.compile(r"[a-z]+[A-Z]*[0-9]|[0-9][A-Za-z]")
"""What a random text has and the name of a variable has not: digits within letters."""
_TALLY = re.compile(r"[,;|/]?\s{0,3}(?:fail|skip|err)")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NEXT_ITEM = re.compile(r"""["']?\r?\n[ \t]{1,12}-\s["']?([^\s"']+)""")
_CHANGED_TO = re.compile(r"""["']\s{1,3}->\s{1,3}["']([^"']+)""")
_ITEM = re.compile(r"[^,\s][^,]*")
_PATH = re.compile(r"(?:/|~|[A-Za-z]:\\)[\w./\\-]*")
_ARN = re.compile(r"\barn:(?:[\w-]*:){4}secret:$")
_USER_OF_URL = re.compile(r"""://[^\s:/?#"'<>@\[]{1,200}:$""")
_TO_HOST = re.compile(r"""[^\s?#"'<>]{1,400}(?=@[^\s@])""")
_NO_TOKEN = re.compile(r"\d{4}-\d\d-\d\d.*|v?\d+(?:\.\d+)+|[{}()\[\]<>,.;:=+*/|&!?-]+", re.DOTALL)
_STATEMENT = re.compile(
    r"(?i)\b(?:(?:create|alter)\s+(?:or\s+replace\s+)?(?:role|user|group|login|database|server|identity)"
    r"|grant\s|set\s+password|identified\s)"
)
_NAME = rf"(?:[\w.:/-]{{0,64}}(?:{_LONG})|(?:[\w.:/-]{{0,63}}[_.:/-])?(?:{_SHORT}))s?"
_SHORT_MIN, _LONG_MIN = 6, 20


def passwords(text: str, found: Span) -> Iterator[Span]:
    """Yield what was found without what follows it, unless it stands for a password or tells about one.

    Args:
        text: All that the value was found in: what stands before and behind it is looked at, too.
        found: Where in it the value begins, and ends at most.
    """
    start, end = _without_what_follows(text, found)
    value = text[start:end]
    if is_placeholder(value) or is_word(value) or _is_variable(text, start, value):
        return
    if _is_next_pair(text, start, value) or (value.isdigit() and _TALLY.match(text, end)):
        return
    if _PATH.fullmatch(value) and "pwd" in text[max(0, start - 8) : start].lower():
        return  # a shell's current folder
    yield start, end
    yield from _beside(text, start, end)


def _beside(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the other items of a list in YAML, and what a value was changed to."""
    if text[max(0, start - 2) : start] == "- ":
        while (item := _NEXT_ITEM.match(text, end)) is not None:
            yield item.span(1)
            end = item.end()
    elif (changed := _CHANGED_TO.match(text, end)) is not None:
        yield changed.span(1)


def _credentials(text: str, found: Span) -> Iterator[Span]:
    start, end = _without_what_follows(text, found)
    value = text[start:end]
    if is_placeholder(value) or is_word(value) or _is_next_pair(text, start, value):
        return
    if text[start - 1 : start] == "[" and not any(quote in value for quote in "\"'{") and "," in value:
        yield from _listed(value, start)
        return
    before = text[max(0, start - 16) : start]
    if _NO_TOKEN.fullmatch(value) or _ARN.search(text, max(0, start - 160), start):
        return
    if _QUOTED_NAME.search(before) or _ASSIGNED.search(before) or _could_be_random(value):
        yield start, end


def _listed(values: str, offset: int) -> Iterator[Span]:
    """Yield those of a list that could be random; beside others a UUID only tells which one is meant."""
    items = [(item.start(), item.start() + len(item[0].rstrip())) for item in _ITEM.finditer(values)]
    only_uuids = all(_UUID.fullmatch(values, *item) for item in items)
    for start, end in items:
        value = values[start:end]
        if _could_be_token(value) and (only_uuids or not _UUID.fullmatch(value)):
            yield offset + start, offset + end


def _is_variable(text: str, start: int, value: str) -> bool:
    """Whether a name in braces stands where the value will: `password={password}`, `password={{ x }}`."""
    return text[start - 1 : start] == "{" and (
        (value.isidentifier() and _MIXED.search(value) is None) or value.startswith("{")
    )


def _is_next_pair(text: str, start: int, value: str) -> bool:
    """Whether nothing was given, and what follows is the next pair: `password= user=bob`."""
    before = text[max(0, start - 24) : start]
    if "\n" in before[len(before.rstrip()) :]:
        return _NAME_BELOW.match(text, start, start + 80) is not None
    return before[-1:].isspace() and before.rstrip().endswith("=") and _NEXT_PAIR.fullmatch(value) is not None


def _element(text: str, found: Span) -> Iterator[Span]:
    """Yield the text of an element that ends, or was cut; `<password>` alone stands for one."""
    start, end = found
    tag = text.rfind("<", max(0, start - 300), start)
    is_cut = end == len(text) and text[max(0, tag - 4) : max(0, tag)].rstrip()[-1:] in {"", ">"}
    if text.startswith(("</", "&lt;/"), end) or is_cut:
        yield from passwords(text, found)


def _set(text: str, found: Span) -> Iterator[Span]:
    if _could_be_token(text[found[0] : found[1]]):
        yield found


def _could_be_token(value: str) -> bool:
    return not is_placeholder(value) and not is_word(value) and _could_be_random(value)


def _in_statement(text: str, found: Span) -> Iterator[Span]:
    """Yield a password in a statement of SQL, but not what a sentence says about one."""
    start, end = found
    if _STATEMENT.search(text, max(0, start - 300), start) and not is_placeholder(text[start:end]):
        yield found


def _could_be_random(value: str) -> bool:
    """Whether a value is no word of a sentence (`token: unexpected`) and no small number."""
    if len(value) < _SHORT_MIN:
        return False
    if any(map(str.isdigit, value)):
        return len(set(value)) >= 4
    return is_varied(value) and (
        len(value) >= _LONG_MIN or not (value.islower() or value.istitle() or value.isupper())
    )


def _without_what_follows(text: str, found: Span) -> Span:
    """Return a bare value without what stands behind: a next name, a bracket and a stop, a URL's host."""
    start, end = found
    if _USER_OF_URL.search(text, max(0, start - 210), start) and (secret := _TO_HOST.match(text, start, end)):
        return secret.span()
    if start and text[start - 1] in "\"'[{(":
        return found
    if (mask := _MASKED_BEFORE.match(text, start, end)) is not None:
        return start, mask.end()
    cut = _NEXT_NAME.search(text, start, end)
    return (start, cut.start()) if cut is not None and cut.start() > start else found


NAMED_VALUES = (
    Rule(
        name="password",
        what="Values behind `password` and its like in a text: `name=value`, JSON, YAML, a dictionary's text",
        gate=(NAMED,),
        pattern=rf"(?i){_PASSWORDS}(?:{_TO_VALUE}{_VALUE}|{_PAIR})",
        judge=passwords,
        examples=(
            "login user=bob password=«hunter2» ok",
            "{'user': 'bob', 'password': '«correct horse»'}",
            '{"password": "«a\\"b»", "x": 1}',
            r"body={\"passwd\":\"«s3cr3t»\"}",
            "DB_PASSWORD=«s3cr3t», DB_HOST=db",
            "Server=db;Pwd=«s3cr3t»;Database=x",
            "?user=bob&password=«a%20b»&x=1",
            "user_pass: «tiger»",
            "('password', '«tiger»')",
            "{'passwords': [«'tiger', 'lion'»], 'x': 1}",
            "dbpass=«tiger»",
            '{"password": {«"a": {"b": "tiger"»}}}',
            "password: |\n  «tiger cat»\nuser: bob",
            "java -Dpwd=«tiger» -Xmx2g",
            "dbPwd=«tiger»",
            "\x1b[36mpassword\x1b[0m=\x1b[35m«tiger»\x1b[0m",
            r'{"config.ini": "DB_PASSWORD=«tiger»\nDB_PASS=«lion»\nBACKUP=true"}',
            "password ?= «tiger»",
            "password        : «tiger»",
            "password[]=«tiger»",
            "password -> «tiger»",
            "password%3D«tiger»",
            "$password .= `«tiger cat»`",
            "{'password': bytearray(b'«tiger»')}",
            'Config { password: Some("«tiger»") }',
            'password = """«tiger»"""',
            "db:\n  password:\n    «tiger»\n  port: 1",
            "password      =      «tiger»",
            "{&quot;password&quot;: &quot;«tiger»&quot;}",
            "password%253D«tiger»",
            "DB_PASSWORD_2=«tiger»",
            "password: !!binary «dGlnZXI=»",
            "password\t=\t«tiger»",
            "user%5Bpassword%5D=«tiger»&x=1",
            r"password\u003d«tiger»",
            "password=&#x27;«tiger»&#x27;",
            "&amp;quot;password&amp;quot;: &amp;quot;«tiger»&amp;quot;",
            "**Password:** «tiger»",
            "<b>Password:</b> «tiger»",
            "password......: «tiger»",
            "password: &pw «tiger»",
            "passwords:\n  - «tiger»\n  - «lion»\nuser: bob",
            '~ password = "«tiger»" -> "«lion»"',
            "userPassword:: «dGlnZXI=»",
            "jdbc:sqlserver://db;password={«hunter2Zq9»};encrypt=true",
            "пароль: «tiger»",
            "密码: «tiger»",
            "contraseña: «tiger»",
        ),
        counterexamples=(
            "password: incorrect",
            "Failed password for root from 10.0.0.1",
            "password=None",
            "password=os.environ['X']",
            "password=***",
            "password: must be longer",
            "PWD=/home/bob",
            "compass: north",
            "password=[masked:password]",
            "password={password}",
            "password={{ vault_search_password }}",
            "password= user=bob",
            "pass: 12, fail: 3",
            "password: |",
            "password=(none)",
            "password=****1234",
            "password:\n    secure: yes",
            "db.password=\ndb.url=",
            "password =            user=bob",
            'password="", user="bob"',
            "password=&user=bob",
            "password={new_password_2}",
            "Erlang/OTP 26",
        ),
    ),
    Rule(
        name="credential",
        what="Values behind `secret`, `token`, `api_key` and their like, where they could be random",
        gate=(NAMED,),
        pattern=rf"(?i){_CREDENTIALS}(?:(?:{_TO_VALUE}| is ){_VALUE}|{_PAIR})",
        judge=_credentials,
        examples=(
            "api_key=«a1b2c3d4e5»",
            "the api key is «8f14e45fceea167a5a36dedd4bea2543»",
            'SECRET_KEY="«abc def»"',
            "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            '{"client_secret": "«correcthorse»"}',
            "refresh-token: «tGzv3JOkF0XG5Qx2TlKWIA»",
            "AccountKey=«Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4»;EndpointSuffix=x",
            "https://api.example.com/v1?access_token=«9f8e7d6c5b4a»&page=2",
            "API_TOKEN := «a1b2c3d4e5»",
            'apiKey: string = "«a1b2c3d4e5»"',
            "api_key ::= `«abcdefg»`",
            "secrets: [«a1b2c3d4e5», 7db3289b-16b5-92a4-8683-85de941897f7]",
            "api_keys=[«7db3289b-16b5-92a4-8683-85de941897f7»]",
            "tokens=frozenset({'«a1b2c3d4e5»'})",
            "creds = «a1b2c3d4e5»",
            r"{\\\\\\\"api_key\\\\\\\": \\\\\\\"«a1b2c3d4e5»\\\\\\\"}",
            "https://x-access-token:«a1b2c3@d4e5»@git.example.com/acme/shop.git",
            "https://api-token:«a1b2?c3d4e5@git.example.com/acme»",
            "Key (api_key)=(«a8Fk29sLq0ZpXv7R») already exists.",
            "PresharedKey = «yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=»",
        ),
        counterexamples=(
            "token: unexpected end of file",
            "token: 2026-01-01",
            "the secret is out",
            "secret: shared",
            "max tokens: 512",
            "token=None",
            "api_key=$API_KEY",
            "invalid token provided",
            "secrets: [shared, default]",
            "token= user=bob42",
            "Secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/shop-17 read",
        ),
    ),
    Rule(
        name="flag_value",
        what="Values of command-line flags such as `--password` and `--token`",
        gate=(rf"(?i)(?:-|[ \"'])-[a-z-]*(?:{PART_OF_NAME})",),
        pattern=rf"(?i)(?:^|[\s\x00\"'])--?(?:[a-z]+-)*(?:{_ALL})"
        r"(?:[\s\x00]{1,3}|[\"'],\s{0,3})[\"']?([^\s\x00\"'-][^\s\x00\"']*)",
        judge=passwords,
        examples=(
            "mysql --user bob --password «tiger» shop",
            "['app', '--api-key', '«a1b2c3»']",
            "influx -username bob -password «tiger»",
            "plink -ssh bob@db -pw «tiger» ls",
            "app\x00--password\x00«tiger»\x00--port",
        ),
        counterexamples=("use --password to set it", "--token --verbose", "--password-file /etc/x"),
    ),
    Rule(
        name="set_value",
        what="Values behind a command that sets a name: `aws configure set aws_secret_access_key …`",
        gate=(rf"(?i)(?:set|setenv|set -[gx]{{1,2}}|ENV) [^ ]*(?:{PART_OF_NAME})[^ ]* [^ ]{{6}}",),
        pattern=rf"(?i)\b(?:set(?:env|\s-[gx]{{1,2}})?|(?-i:ENV))\s{{1,3}}[^\s=]{{0,80}}(?:{_LONG})\s{{1,3}}[\"']?([^\s\"'`;&]+)",
        judge=_set,
        examples=(
            "aws configure set aws_secret_access_key «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
            "npm config set //registry.example.com/:_authToken «a1b2c3d4e5»",
            "setenv DB_PASSWORD «hunter2Zq9»",
            "set -x DB_PASSWORD «hunter2Zq9»",
            "ENV DB_PASSWORD «hunter2Zq9»",
        ),
        counterexamples=("set token expired", "set password for bob", "set api_key $API_KEY"),
    ),
    Rule(
        name="name_and_value",
        what='Values beside a name that is a value too: `name: DB_PASSWORD`, `value: …`; `key="…" value="…"`',
        gate=(
            NAMED,
            r"value\\*[\"']?[:=]\\*[\"'][^\"'\\]*\\*[\"'][^\"'A-Za-z]*\\*[\"']?(?:name|key)\\*[\"']?[:=]",
        ),
        pattern=rf"(?i)\b(?:key|name)\\?[\"']?\s{{0,3}}[:=]\s{{0,3}}\\?[\"']?{_NAME}"
        r"""(?:\\?["']?(?:,|,?(?:\s|\\[nr]){1,40})(?:[\w-]{1,40}=["'][^"'<>]{0,80}["']\s){0,4}"""
        r"""\\?["']?(?:value|content)\\?["']?\s{0,3}[:=]\s{0,3}"""
        r"""(?:\\"([^"\\]+)|"([^"]+)|'([^']+)|([^\s"'\\<>,}]+))|\\?["']\s?>(?:<value>)?([^<]+)"""
        r"""|\\?["'](?:(?:\r?\n|\\r\\n)Content-Type:[^\r\n\\]{1,80})?(?:\r?\n\r?\n|\\r\\n\\r\\n)([^\s\\"']+))"""
        r"""|\bvalue\\?["']?[:=]\\?["']([^"'\\<>]{1,200})\\?["'],?\s?\\?["']?"""
        rf"""(?:name|key)\\?["']?[:=]\s{{0,3}}\\?["']{_NAME}\\?["']""",
        judge=passwords,
        examples=(
            '<add key="private_token" value="«a1 b2»"/>',
            "- name: SIGNING_SECRET\n  value: «a1b2c3d4»",
            r"- name: DB_PWD\n  value: «tiger»\n",
            '{"name": "DB_PASSWORD", "value": "«tiger»"}',
            '<entry key="db.password">«tiger»</entry>',
            'Content-Disposition: form-data; name="password"\r\n\r\n«tiger»\r\n--x',
            'form-data; name="api_key"\r\nContent-Type: text/plain\r\n\r\n«a1b2c3»\r\n--x',
            '[{"name":"password","value":"«tiger»"}]',
            r"{\"key\":\"api_key\",\"value\":\"«a1b2c3»\"}",
            '[{"value":"«tiger»","name":"password"}]',
            '<input value="«tiger»" name="password">',
            '<input name="csrf_token" type="hidden" value="«a1b2c3»">',
            '<meta name="csrf-token" content="«a1b2c3»">',
            '<property name="password"><value>«tiger»</value></property>',
        ),
        counterexamples=(
            "- name: DB_PASSWORD\n  valueFrom: secretKeyRef",
            '<add key="password_length" value="12"/>',
            '<add key="password" value="${PW}"/>',
        ),
    ),
    Rule(
        name="sql_password",
        what="Passwords in statements of SQL: `ALTER ROLE … PASSWORD '…'`, `IDENTIFIED BY '…'`",
        gate=(r"(?i)password ?\(?[ Ee]?\\?[\"']", r"(?i)identified (?:[^ ]* [^ ]* )?by"),
        pattern=r"""(?i)\b(?:password\s{0,3}\(?\s{0,3}|identified\s{1,3}(?:with\s\S{1,64}\s)?by\s{1,3}"""
        r"""(?:password\s{1,3}|values\s{1,3})?)"""
        r"""(?:E?\\{0,4}'((?:[^'\\]|''|\\[^'])+)|\\{0,4}"([^"\\]+))""",
        judge=_in_statement,
        examples=(
            "ALTER ROLE bob WITH LOGIN PASSWORD '«tiger»';",
            'ALTER USER bob IDENTIFIED BY "«tiger»"',
            "create user bob identified with caching_sha2_password by '«tiger»'",
            "SET PASSWORD FOR bob = PASSWORD('«tiger»')",
        ),
        counterexamples=(
            "Failed password 'x' for bob",
            "ALTER ROLE bob PASSWORD NULL",
            "identified by a badge",
        ),
    ),
    Rule(
        name="element_value",
        what="Texts of XML elements such as `<password>`",
        gate=(rf"(?i)(?:<|&lt;|u003c)[a-z0-9_:.-]*(?:{PART_OF_NAME})",),
        pattern=rf"(?i)(?:<|&lt;)(?:[a-z0-9_:.-]{{0,40}}(?:{_LONG})|(?:[a-z0-9_:.-]{{0,39}}[_:.-])?(?:{_SHORT}))"
        r"(?:(?:\s[^<>]{0,200})?>(?:<!\[CDATA\[)?([^<]+)|&gt;([^<&]+))",
        judge=_element,
        examples=(
            "<user>bob</user><password>«tiger»</password>",
            '<wsse:Password Type="x">«tiger»</wsse:Password>',
            "<pwd>«tiger»</pwd>",
            "<user>bob</user><password>«tig»",
            "&lt;password&gt;«tiger»&lt;/password&gt;",
        ),
        counterexamples=(
            "<password></password>",
            "<tokens>",
            "password=<password> user=bob",
            "mysql://bob:<password>@db/x",
            "<compass>north</compass>",
        ),
    ),
    Rule(
        name="password_hash",
        what="Hashes of passwords: crypt(5), Argon2, LDAP, PostgreSQL, Windows, Django, Werkzeug",
        gate=(
            r"\$(?:2[abxy]|[1567y]|apr1|argon2(?:id|i|d))\$[^ ]",
            r"\{(?:S?SHA(?:256|512)?|SMD5|CRYPT)\}|SCRAM-SHA-(?:1|256)\$|pbkdf2[_:]sha[0-9]|scrypt:[0-9]",
            r":::",
        ),
        pattern=r"\{(?:S?SHA(?:256|512)?|SMD5|CRYPT)\}([A-Za-z0-9+/=$.]{16,})|(SCRAM-SHA-(?:1|256)\$[A-Za-z0-9+/=:$]{20,})"
        r"|((?:pbkdf2[_:]sha[0-9]{1,3}|scrypt)[$:][0-9:]{4,20}\$[A-Za-z0-9./+=]{1,64}\$[A-Za-z0-9./+=]{20,})"
        r"|:([0-9a-f]{32}:[0-9a-f]{32}):::|(\$(?:1|apr1)\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{20,22}|\$2[abxy]\$[0-9]{2}\$[./A-Za-z0-9]{53}|\$(?:[567y]|argon2(?:id|i|d))\$[./A-Za-z0-9$=,+-]{20,})",
        examples=(
            "hash «$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW»",
            "bob:«$apr1$abcdefgh$0123456789abcdefghijkl»",
            "userPassword: {SSHA}«0c0blFTXXNuAMHECS4uxrj3ZieMoWImr»",
            "«pbkdf2_sha256$260000$abcdefghij$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG=»",
            "«scrypt:32768:8:1$abcdefghijklmnop$0123456789abcdef0123456789abcdef»",
            "«SCRAM-SHA-256$4096:H45+UIZiJUcEXrB9SHlv5Q==$I0mc87UotsrnezRKv9Ijqn=:nSjwT9LGDmAsMo=»",
            "bob:500:«aad3b435b51404eeaad3b435b51404ee:31d6cfe0d16ae931b73c59d7e0c089c0»:::",
            "bob:«$6$52450745$k5ka2p8bFuSmoVT1tzOyyuaREkkKBcCNqoDKzYiJL9RaE8yMnPgh2XzzF0NDrUhgrcLwg78xs1w5pJiypEdFX/»:1",
        ),
        counterexamples=(
            "{SHA} of a file",
            "SCRAM-SHA-256 is used",
            "cost $2 or $5",
            "$6$ is SHA-512",
            "$1$2",
        ),
    ),
)
