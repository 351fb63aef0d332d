"""Passwords on command lines that no name tells: `mysql -p…`, `openssl enc -k …`, `echo … | sudo -S`."""

from __future__ import annotations

from collections.abc import Iterator

from logging_system.masking.rule import Rule, Span
from logging_system.masking.rules.named_values import passwords

_NEXT = r"""(?:["'],\s?["']|[\s\x00]{1,3})"""
"""Between two words of a command, as a shell or a list of Python writes it."""
_WORDS = rf"""[^\n;|]{{0,200}}?{_NEXT}"""
_VALUE = r"""(?:"([^"\n]+)|'([^'\n]+)|([^\s\x00"']+))"""
_ARGUMENT = r"""(?:"([^"\n]+)|'([^'\n]+)|([^\s\x00"'-][^\s\x00"']*))"""
_USER = r"""[\w.@\\/-]{1,64}"""
_SHORT_P = (
    r"(?:docker|podman|registry|oc|az){next}login|mongo|mongosh|mongodump|mongorestore|cqlsh|twine|psexec"
    r"|ncftp(?:put|get)?|rdesktop|evil-winrm|crackmapexec|netexec|nxc|useradd|usermod|elasticsearch-users"
).replace("{next}", _NEXT)
_CAPITAL_P = "sqlcmd|bcp|ipmitool|mosquitto_(?:pub|sub|rr)|zip|unzip"
_TO = (
    r"\s{0,3}\|\s{0,3}(?:sudo\s{1,3})?(?:sudo\s{1,3}-S|(?:docker|podman)\slogin|chpasswd|kinit|cryptsetup"
    r"|passwd\s--stdin|gpg\s)"
)


def _of_option(text: str, found: Span) -> Iterator[Span]:
    """Yield what is given to an option, unless it is the next one: `["mysql", "-p", "--verbose"]`."""
    start, _end = found
    if text[start] != "-" or text[start - 1] not in " '\"":
        yield from passwords(text, found)


def _piped(text: str, found: Span) -> Iterator[Span]:
    """Yield what is written to a program, of `user:password` the password."""
    start, end = found
    if "chpasswd" in text[end : end + 24]:
        start = text.find(":", start, end) + 1 or start
    yield from passwords(text, (start, end))


COMMANDS = (
    Rule(
        name="command_password",
        what="Passwords behind one letter: `sshpass -p`, `mysql -p`, `redis-cli -a`, `docker login -p`, "
        "`sqlcmd -P`, `openssl enc -k`, `snmpget -c`",
        # Of names only what few other words have: what many words begin with costs every record.
        gate=(
            r"(?:hpass|mysql|mysqldump|mysqladmin|mariadb|s-cli|ogin|mongo|mongosh|mongodump|mongorestore"
            r"|cqlsh|twine|psexec|cftp(?:put|get)?|sktop|-winrm|crackmapexec|netexec|nxc|radd|rmod"
            r"|h-users|sqlcmd|bcp|ipmitool|mosquitto_[a-z]{2,3}|zip|7z|7za|rar|nssl|snmp[a-z]{3,8})"
            r"(?:[\"',]{0,3} |\",\"|\\u0000).*-[pPakKcAX]",
            r"ldap[a-z]{3,8}(?:[\"',]{0,3} |\",\").*-[sw]",
        ),
        pattern=rf"""\b(?:sshpass{_NEXT}-p(?:{_NEXT})?"""
        rf"""|(?:mysql|mysqldump|mysqladmin|mariadb){_NEXT}(?:{_WORDS})?-p(?:["'],\s?["'])?"""
        rf"""|(?:7za?|rar|unrar){_NEXT}(?:{_WORDS})?-p|redis-cli{_NEXT}(?:{_WORDS})?-a{_NEXT}"""
        rf"""|ldap[a-z]{{3,8}}{_NEXT}(?:{_WORDS})?-w{_NEXT}|ldappasswd{_NEXT}(?:{_WORDS})?-s{_NEXT}"""
        rf"""|(?:{_SHORT_P}){_NEXT}(?:{_WORDS})?-p{_NEXT}|(?:{_CAPITAL_P}){_NEXT}(?:{_WORDS})?-P{_NEXT}"""
        rf"""|openssl{_NEXT}(?:{_WORDS})?-[kK]{_NEXT}|snmp[a-z]{{3,8}}{_NEXT}(?:{_WORDS})?-[cAX]{_NEXT}){_VALUE}"""
        rf"""|\s-A\s\S{{1,200}}\s-X\s{_VALUE}""",
        judge=_of_option,
        is_of_command=True,
        examples=(
            "sshpass -p «tiger» ssh bob@db-1",
            "mysql -h db -u bob -p«tiger» shop",
            "redis-cli -h cache -a '«tiger cat»' ping",
            "docker login -u bob -p «tiger» registry.example.com",
            "['mysql', '-uroot', '-p«tiger»', 'shop']",
            "['mysql', '-p', '«tiger»', 'shop']",
            "ldapsearch -D cn=bob -w «tiger» -b dc=x",
            "sqlcmd -S db -U sa -P «tiger» -Q 'select 1'",
            "openssl enc -aes-256-cbc -k «tiger» -in x -out y",
            "unzip -P «tiger» a.zip",
            "7z x -p«tiger» a.7z",
            "snmpget -v2c -c «tiger» 10.0.0.1 x",
            "mosquitto_pub -h mq -u bob -P «tiger» -t x -m y",
            "twine upload -u bob -p «tiger» dist/x.whl",
            "ldappasswd -s «tiger» uid=bob",
        ),
        counterexamples=(
            "mysql -u bob -p",
            "sshpass -p $PW ssh db",
            "mysql -P 3306 -h db",
            "docker run -p 8080:80 nginx",
            "openssl x509 -in x.pem -noout",
            "gzip -P x",
            "['mysql', '-p', '--verbose']",
        ),
    ),
    Rule(
        name="user_option",
        what="Passwords behind a user in an option: `http -a bob:…`, `etcdctl --user`, `smbclient -U bob%…`, "
        "`lftp -u bob,…`, `net use /user:bob …`, `xfreerdp /p:…`",
        gate=(
            r"(?:etcdctl|jenkins-cli\.jar|lftp|smbclient|rpcclient|smbmap|schtasks|xfreerdp|wfreerdp) ",
            r"https? -a |net use[r ]",
        ),
        pattern=rf"""\b(?:https?\s-a|etcdctl\s(?:{_WORDS})?--user|jenkins-cli\.jar\s(?:{_WORDS})?-auth)[\s=]{{1,3}}["']?{_USER}:{_VALUE}"""
        rf"""|\blftp\s(?:{_WORDS})?-u\s{{0,3}}["']?{_USER},{_VALUE}"""
        rf"""|\b(?:smbclient|rpcclient|smbmap)\s(?:{_WORDS})?-U\s{{0,3}}["']?{_USER}%{_VALUE}"""
        rf"""|\b[xw]freerdp\s(?:{_WORDS})?/p:{_VALUE}|\bschtasks\s(?:{_WORDS})?/rp\s{_VALUE}"""
        rf"""|\bnet\suser\s{_USER}\s([^\s/][^\s]*)|\bnet\suse\s(?:{_WORDS})?/user:{_USER}\s{_VALUE}""",
        judge=passwords,
        examples=(
            "http -a bob:«tiger» https://api.example.com",
            "etcdctl --user root:«tiger» get x",
            "smbclient //db/share -U bob%«tiger»",
            "lftp -u bob,«tiger» ftp.example.com",
            "xfreerdp /v:db /u:bob /p:«tiger»",
            "net user bob «tiger» /add",
            r"net use Z: \\db\share /user:bob «tiger»",
        ),
        counterexamples=("net user bob /active:no", "smbclient -U bob //db/share", "etcdctl get x:y"),
    ),
    Rule(
        name="argument_password",
        what="Passwords as a program's arguments: `htpasswd -b file bob …`, `rabbitmqctl add_user bob …`, "
        "`mc alias set … bob …`",
        gate=(
            r"(?:htpasswd|mosquitto_passwd) -[a-zA-Z]*b|rabbitmqctl .*(?:add_user|_password)",
            r"mc alias set |rclone obscure |openssl passwd |radtest ",
        ),
        pattern=rf"""\b(?:(?:htpasswd|mosquitto_passwd)\s-[A-Za-z]{{0,8}}b[A-Za-z]{{0,8}}\s\S{{1,200}}\s{_USER}"""
        rf"""|rabbitmqctl\s(?:{_WORDS})?(?:add_user|change_password|authenticate_user)\s{_USER}"""
        rf"""|mc\salias\sset\s\S{{1,64}}\s\S{{1,200}}\s{_USER}|rclone\sobscure"""
        rf"""|openssl\spasswd(?:\s-[a-z0-9]{{1,8}}){{0,3}}|radtest\s{_USER})\s{{1,3}}{_ARGUMENT}""",
        judge=passwords,
        examples=(
            "htpasswd -b /etc/x bob «tiger»",
            "rabbitmqctl add_user bob «tiger»",
            "rabbitmqctl -p / change_password bob «tiger»",
            "mc alias set x https://s3.example.com bob «tiger»",
            "openssl passwd -6 «tiger»",
        ),
        counterexamples=("rabbitmqctl add_user bob", "htpasswd -c /etc/x bob", "openssl passwd -6"),
    ),
    Rule(
        name="piped_password",
        what="Passwords written to a program: `echo … | sudo -S`, `echo bob:… | chpasswd`",
        gate=(r"(?:echo|printf) .*\| ?(?:sudo|docker|podman|chpasswd|kinit|cryptsetup|passwd|gpg)",),
        pattern=r"""\b(?:echo(?:\s-[neE]{1,3})?|printf(?:\s["']?%s(?:\\n)?["']?)?)\s{1,3}"""
        rf"""(?:"([^"\n|]{{1,200}})"|'([^'\n|]{{1,200}})'|([^\s"'|]{{1,200}})){_TO}""",
        judge=_piped,
        examples=(
            "echo '«tiger»' | sudo -S apt update",
            "echo «tiger» | docker login --username bob --password-stdin",
            "echo 'bob:«tiger»' | chpasswd",
            "printf '%s' '«tiger»' | gpg --passphrase-fd 0",
            "echo -n «tiger» | cryptsetup open /dev/sda x -",
        ),
        counterexamples=(
            "echo $PW | sudo -S apt update",
            "echo tiger | sudo tee /etc/x",
            "cat pw | chpasswd",
        ),
    ),
)
