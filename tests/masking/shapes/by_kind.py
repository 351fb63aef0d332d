"""Lines for kinds that stand in surroundings of their own."""

from __future__ import annotations

CARD = (
    "{iso} INFO {logger} charge card=<card> amount={amount} currency=EUR order={order}",
    "{iso} ERROR {logger} payment declined for <card> exp 09/27",
    '{"event":"payment","pan":"<card>","amount":{amount},"order_id":"{uuid}","ts":{epoch}}',
    '{"card":{"number":"<card>","exp_month":{small},"brand":"visa"},"trace":"{trace}"}',
    '{apache} "POST /checkout?card_number=<card>&qty={small} HTTP/1.1" 302 {bytes}',
    "INSERT INTO payments (id, pan, amount) VALUES ({small}, '<card>', {amount});",
    "{syslog} pos[{pid}]: swipe read <card> at terminal {small}",
    'Traceback (most recent call last):\n  File "{pyfile}", line {line}, in charge\n    raise Declined(number)\n'
    "shop.Declined: card <card> was declined (code {small})",
    "{iso} {level} customer {user} said: my card number is <card>, please refund",
    "card_number: <card>\nholder: {user}\namount: {amount}",
    "creditCard=<card>;holder={user};id={order}",
    "{iso} DEBUG {logger} Payment(card='<card>', cents={bytes})",
    "cc: <card>",
    "[{thread}] {logger}: <card> tokenised in {ms} ms",
    "<request><pan><card></pan><amount>{amount}</amount></request>",
    "{iso},{user},<card>,{amount},approved",
    "paymentMethod: {type: 'card', number: '<card>'}",
    "card=<card>",
)
IBAN = (
    "{iso} INFO {logger} transfer to <iban> amount={amount}",
    '{"event":"sepa","iban":"<iban>","amount":{amount},"ref":"{uuid}"}',
    "{iso} ERROR {logger} mandate for <iban> rejected: AC04",
    "SELECT * FROM accounts WHERE iban = '<iban>' LIMIT {small};",
    '{apache} "GET /accounts/<iban>/balance HTTP/1.1" 200 {bytes}',
    "{syslog} bankd[{pid}]: debit <iban> credit ledger {small}",
    "customer {user} changed the account to <iban>.",
    "iban: <iban>\nbic: DEUTDEFF\nowner: {user}",
    'Traceback (most recent call last):\n  File "{pyfile}", line {line}, in pay\n    raise ValueError(iban)\n'
    "ValueError: cannot debit '<iban>'",
    "account=<iban>;currency=EUR;id={order}",
    "<Cdtr><Id><IBAN><iban></IBAN></Id></Cdtr>",
    "IBAN <iban> ({user}), {amount} EUR",
    "{iso},{user},<iban>,{amount}",
    "{iso} {level} Transfer(iban='<iban>', cents={bytes})",
)
EMAIL = (
    "{iso} INFO {logger} login ok user=<email> ip={ip}",
    "{iso} WARN {logger} bounce for <email>: 550 5.1.1 mailbox unavailable",
    '{"event":"signup","email":"<email>","plan":"free","id":"{uuid}"}',
    '{"level":"info","msg":"sent mail to <email>","ms":{ms}}',
    "{syslog} postfix/smtp[{pid}]: {queue}: to=<<email>>, relay=mx.{host}[{ip}]:25, delay={small}, status=sent (250 ok)",
    "{syslog} dovecot: imap-login: Login: user=<<email>>, method=PLAIN, rip={ip}, session=<{queue}>",
    '{apache} "GET /unsubscribe?email=<email>&id={small} HTTP/1.1" 200 {bytes}',
    "INSERT INTO users (email, name) VALUES ('<email>', '{user}');",
    'ERROR: duplicate key value violates unique constraint "users_email_key"\nDETAIL:  Key (email)=(<email>) already exists.',
    'Traceback (most recent call last):\n  File "{pyfile}", line {line}, in get\n    raise User.DoesNotExist(email)\n'
    "models.User.DoesNotExist: no user <email>",
    "From: {user} <<email>>\nSubject: invoice {order}",
    "mailto:<email>?subject=hello",
    "contact: <email>\nreplicas: {small}",
    "{iso} {level} invited <email>, role editor",
    "{iso} {level} [<email>] exported {small} rows",
    "User(id={small}, email='<email>', active=True)",
    "Author: {user} <<email>>",
    "subject=CN={user}/emailAddress=<email>",
    "ticket {small} was opened by <email>.",
    "{iso},{level},<email>,{ip}",
    "users/<email>/settings updated",
    "email=<email>",
)
AWS_SECRET = (
    "{iso} DEBUG botocore.credentials - aws_secret_access_key=<aws_secret_key> region={region}",
    "AWS_SECRET_ACCESS_KEY=<aws_secret_key>",
    "+ export AWS_SECRET_ACCESS_KEY=<aws_secret_key>",
    '{"AccessKeyId": "<aws_access_key>", "SecretAccessKey": "<aws_secret_key>", "Expiration": "{iso}"}',
    "[default]\naws_access_key_id = <aws_access_key>\naws_secret_access_key = <aws_secret_key>\nregion = {region}",
    "{iso} ERROR {logger} boto3.client('s3', aws_access_key_id='<aws_access_key>', aws_secret_access_key='<aws_secret_key>') failed",
    "env: AWS_REGION={region} AWS_SECRET_KEY=<aws_secret_key> PATH=/usr/bin",
    'awsSecretKey: "<aws_secret_key>"',
    "secretAccessKey: <aws_secret_key>\nregion: {region}",
    "docker run -e AWS_SECRET_ACCESS_KEY=<aws_secret_key> {program}:{version}",
    '{"level":"debug","config":{"aws_secret_access_key":"<aws_secret_key>","bucket":"logs"}}',
    "s3 config {'secret_access_key': '<aws_secret_key>', 'endpoint': 'https://s3.{host}'}",
    "-Daws.secretKey=<aws_secret_key> -Xmx512m",
    "aws configure set aws_secret_access_key <aws_secret_key>",
)
AZURE = (
    "DefaultEndpointsProtocol=https;AccountName=logs{small};AccountKey=<azure_key:storage>;EndpointSuffix=core.windows.net",
    "{iso} ERROR {logger} cannot open DefaultEndpointsProtocol=https;AccountName={user};AccountKey=<azure_key:storage>",
    "Endpoint=sb://bus.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<azure_key:shared>",
    '{"ConnectionString":"Endpoint=sb://ns.servicebus.windows.net/;SharedAccessKeyName=send;SharedAccessKey=<azure_key:shared>"}',
    "AZURE_CLIENT_SECRET=<azure_key:client>",
    '{"tenant":"{uuid}","client_secret":"<azure_key:client>"}',
    "{iso} WARN {logger} AADSTS7000222: client secret <azure_key:client> is expired, tenant {uuid}",
    "GET https://logs.blob.core.windows.net/c/{file}?sv=2023-11-03&se=2026-01-01&sr=b&sp=r&sig=<azure_key:signature> 403",
    "{iso} INFO {logger} blob url ?sv=2022-11-02&sig=<azure_key:signature>&se=2026-01-01",
    "AZURE_STORAGE_KEY=<azure_key:storage>",
    "azure_storage_account_key: <azure_key:storage>\nregion: {region}",
    "HostName=hub.azure-devices.net;DeviceId=d{small};SharedAccessKey=<azure_key:shared>",
    "az login --service-principal -u {uuid} -p <azure_key:client> --tenant {uuid}",
)
NAMED = (
    "{iso} INFO {logger} {key}=<it> took={ms}ms",
    "{iso} DEBUG {logger} connecting with {key}: <it>",
    "{key}=<it>",
    "{KEY}=<it>",
    "+ export {KEY}=<it>",
    '{"level":"debug","{key}":"<it>","id":"{uuid}"}',
    '{"config": {"{key}": "<it>", "url": "https://{host}"}, "pid": {pid}}',
    "config: {'{key}': '<it>', 'retries': {small}}",
    "Settings({key}='<it>', debug=False)",
    "{key}: <it>\nreplicas: {small}",
    '    {key}: "<it>"\n    region: {region}',
    '{apache} "POST {path}?{key}=<it>&page={small} HTTP/1.1" 200 {bytes}',
    "{syslog} {program}[{pid}]: started with {key}=<it>, region={region}",
    'level=info msg="loaded" {key}="<it>" source={file}',
    "--{dashed}=<it> --verbose",
    "+ {program} login --{dashed} <it> --user {user}",
    'Traceback (most recent call last):\n  File "{pyfile}", line {line}, in load\n    raise ConfigError(text)\n'
    "ConfigError: bad setting {key}='<it>' in {file}",
    "<{key}><it></{key}>",
    '<add key="{key}" value="<it>" />',
    'DEBUG: b\'{"{key}": "<it>", "n": {small}}\'',
    '"message":"body={\\"{key}\\":\\"<it>\\",\\"n\\":{small}}"',
    "    - name: {KEY}\n      value: <it>",
    "-D{key}=<it> -Xmx2g",
    "env {KEY}=<it> PATH=/usr/bin HOME=/root",
    '{key} = "<it>"',
    "{key} => <it>",
    '{"{camel}":"<it>","host":"{host}"}',
    "{camel}=<it>;region={region}",
    "[{thread}] {logger} {camel}: <it>, retry={small}",
)
PASSWORD = (
    '{"user":"{user}","{key}":"<password:quoted>","remember":true}',
    "login(user='{user}', {key}='<password:quoted>')",
    'level=info user={user} {key}="<password:quoted>" ip={ip}',
    '{"user":"{user}","{key}":"<password:escaped>","ok":false}',
    "CREATE USER {user} WITH {sqlkey} '<password:quoted>';",
    "ALTER ROLE {user} WITH LOGIN PASSWORD '<password>';",
    "CREATE USER '{user}'@'%' IDENTIFIED BY '<password>';",
    'statement: ALTER USER {user} IDENTIFIED BY "<password>"',
    '{apache} "POST /login?username={user}&{key}=<password:url> HTTP/1.1" 302 {bytes}',
    "username={user}&{key}=<password:url>&submit=Login",
    "mysql -h db.{host} -u {user} --password=<password> -e 'select 1'",
    "PGPASSWORD=<password> psql -h db.{host} -U {user}",
    "sshpass -p <password> ssh {user}@db-{small}",
    "curl -u {user}:<password> https://{host}{path}",
    "redis-cli -a <password> -h cache-{small} ping",
    "{key}: |\n  <password>\nuser: {user}",
)
URL = (
    "{iso} ERROR {logger} cannot reach {scheme}://«{user}:<url_password>»@{host}:{port}{path}",
    "{scheme}://«{user}:<url_password>»@{host}/{word}",
    '{"url":"{scheme}://«{user}:<url_password>»@{host}{path}","ms":{ms}}',
    "fatal: unable to access 'https://«{user}:<url_password>»@git.{host}/{word}/{word}.git/': 403",
    "{iso} INFO {logger} broker={broker}://«{user}:<url_password>»@mq.{host}:5672//",
    "DATABASE_URL={db}://«{user}:<url_password>»@db.{host}:5432/{word}?sslmode=require",
    "REDIS_URL=redis://«:<url_password>»@cache.{host}:6379/0",
    "celery: Cannot connect to {broker}://«{user}:<url_password>»@{ip}:5672//: timed out. Trying again in {small} seconds...",
    "mongodb+srv://«{user}:<url_password>»@cluster{small}.{host}/?retryWrites=true",
    "+ git clone https://«oauth2:<url_password>»@git.{host}/{word}.git",
    "proxy http://«{user}:<url_password>»@{ip}:3128 refused the connection",
    "sqlalchemy.exc.OperationalError: could not connect: {db}://«{user}:<url_password>»@{ip}:5432/{word}",
    "ftp://«{user}:<url_password>»@{ip}/{file}",
    'hosts: ["https://«elastic:<url_password>»@es-{small}.{host}:9200"]',
)
DSN = (
    "host=db.{host} port=5432 user={user} password=<dsn_password> dbname={word}",
    '{iso} ERROR {logger} connect("dbname={word} user={user} password=<dsn_password> host={ip}") failed',
    "Server=tcp:{host},1433;Database={word};User ID={user};Password=<dsn_password>;Encrypt=True;",
    "Driver={ODBC Driver 18 for SQL Server};Server={ip};Uid={user};Pwd=<dsn_password>;",
    "jdbc:postgresql://db.{host}:5432/{word}?user={user}&password=<dsn_password:url>&ssl=true",
    "jdbc:sqlserver://{host}:1433;databaseName={word};user={user};password=<dsn_password>;encrypt=true",
    "dsn={user}:<dsn_password>@tcp({ip}:3306)/{word}?parseTime=true",
    "{iso} FATAL {logger} sql: {user}:<dsn_password>@tcp(db.{host}:3306)/{word}: i/o timeout",
    "jdbc:oracle:thin:{user}/<dsn_password>@//{host}:1521/ORCL",
    "sqlplus {user}/<dsn_password>@{word}",
    "psycopg2.OperationalError: connection to \"host={ip} user={user} password='<dsn_password>'\" failed",
    "mysql:host={ip};dbname={word};user={user};password=<dsn_password>",
    '{"dsn":"host={ip} user={user} password=<dsn_password> sslmode=disable"}',
    "Data Source={ip};Initial Catalog={word};User Id={user};Password=<dsn_password>",
)
PRIVATE = (
    "{iso} DEBUG {logger} loaded key:\n<private_key>",
    "<private_key>",
    '{"type":"service_account","private_key":"<private_key:escaped>\\n","client_id":"{digits}"}',
    "tls.key: |\n<private_key>\nreplicas: {small}",
    "{iso} ERROR {logger} cannot parse PEM: <private_key:escaped>",
    'PRIVATE_KEY="<private_key:escaped>"',
    'Traceback (most recent call last):\n  File "{pyfile}", line {line}, in load\n    raise ValueError(pem)\n'
    "ValueError: unsupported key\n<private_key>",
    "echo '<private_key>' > /etc/ssl/{word}.key",
    "{'cert': '/etc/ssl/{word}.pem', 'key': '<private_key:escaped>'}",
)
BASIC = (
    "Authorization: Basic <basic_auth>",
    "{iso} DEBUG {logger} > Authorization: Basic <basic_auth>",
    '{"headers":{"Host":"{host}","Authorization":"Basic <basic_auth>"},"status":401}',
    "send: b'GET {path} HTTP/1.1\\r\\nHost: {host}\\r\\nAuthorization: Basic <basic_auth>\\r\\n\\r\\n'",
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nauthorization: basic <basic_auth>\r\nAccept: */*",
    "curl -H 'Authorization: Basic <basic_auth>' https://{host}{path}",
    "Proxy-Authorization: Basic <basic_auth>",
    "headers={'authorization': 'Basic <basic_auth>', 'accept': '*/*'}",
    '{iso} WARN {logger} rejected authorization="Basic <basic_auth>" from {ip}',
    "http.request.headers.authorization: Basic <basic_auth>",
)
BEARER = (
    *(
        shape.replace("<basic_auth>", "<bearer_auth>").replace("Basic", "Bearer").replace("basic", "bearer")
        for shape in BASIC
    ),
    "{iso} INFO {logger} calling {path} with Authorization: Bearer <bearer_auth>, attempt {small}",
    "Authorization: Token <bearer_auth>",
    "[('Host', '{host}'), ('Authorization', 'Bearer <bearer_auth>')]",
    "http --auth-type=bearer --auth=<bearer_auth> {host}{path}",
)
COOKIE = (
    "Cookie: «<cookie>»",
    "Cookie: «theme=dark; <cookie>; lang=en»",
    "Set-Cookie: «<cookie>; Path=/; HttpOnly; Secure»",
    "{iso} DEBUG {logger} < set-cookie: «<cookie>; Path=/; SameSite=Lax»",
    '{"headers":{"cookie":"«<cookie>; lang=de»","host":"{host}"},"status":200}',
    "headers={'Cookie': '«_ga=GA1.2.{digits}.{epoch}; <cookie>»', 'Accept': '*/*'}",
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: «<cookie>»\r\nAccept: */*",
    "curl -b '«<cookie>»' https://{host}{path}",
    "curl -H 'Cookie: «<cookie>; theme=light»' https://{host}{path}",
    '{apache} "GET {path} HTTP/1.1" 200 {bytes} "-" "Mozilla/5.0" "«<cookie>»"',
    "send: b'GET / HTTP/1.1\\r\\nHost: {host}\\r\\nCookie: «<cookie>»\\r\\n\\r\\n'",
)


def named(kind: str) -> tuple[str, ...]:
    """NAMED for one kind, percent-encoded where the shape is a query."""
    return tuple(
        shape.replace("?{key}=<it>", f"?{{key}}=<{kind}:url>").replace("<it>", f"<{kind}>") for shape in NAMED
    )


SHAPES: dict[str, tuple[str, ...]] = {
    "card": CARD,
    "iban": IBAN,
    "email": EMAIL,
    "aws_secret_key": AWS_SECRET,
    "azure_key": AZURE,
    "api_key": named("api_key"),
    "password": named("password") + PASSWORD,
    "url_password": URL,
    "dsn_password": DSN,
    "private_key": PRIVATE,
    "basic_auth": BASIC,
    "bearer_auth": BEARER,
    "cookie": COOKIE,
}

# What else a kind that may stand anywhere is seen in.
MORE: dict[str, tuple[str, ...]] = {
    "jwt": (
        "Authorization: Bearer <jwt>",
        "Set-Cookie: «id_token=<jwt>; Path=/»",
        "id_token=<jwt>&state={hex16}",
    ),
    "github_token": (
        "remote: https://x-access-token:<github_token>@github.com/acme/{word}.git",
        "GH_TOKEN=<github_token> gh pr list",
    ),
    "gitlab_token": (
        "PRIVATE-TOKEN: <gitlab_token>",
        "https://oauth2:<gitlab_token>@gitlab.com/acme/{word}.git",
    ),
    "gcp_api_key": (
        "GET https://maps.googleapis.com/maps/api/geocode/json?address={word}&key=<gcp_api_key> 403",
    ),
    "aws_access_key": (
        "X-Amz-Credential=«<aws_access_key>%2F20260101%2F{region}%2Fs3%2Faws4_request»&X-Amz-Date=20260101T000000Z",
        "An error occurred (InvalidAccessKeyId): The AWS Access Key Id <aws_access_key> does not exist in our records.",
        "Credential=«<aws_access_key>/20260101/{region}/s3/aws4_request», SignedHeaders=host",
    ),
    "stripe_key": (
        "stripe.error.AuthenticationError: Invalid API Key provided: <stripe_key>",
        "curl https://api.stripe.com/v1/charges -u <stripe_key>:",
    ),
    "npm_token": ("//npm.example.com/:_authToken=<npm_token>",),
    "pypi_token": (
        "twine upload -u __token__ -p <pypi_token> dist/*",
        "[pypi]\nusername = __token__\npassword = <pypi_token>",
    ),
    "sendgrid_key": ("sendgrid: Authorization: Bearer <sendgrid_key>", "SENDGRID_API_KEY=<sendgrid_key>"),
    "slack_token": ("slack.errors.SlackApiError: invalid_auth ({'token': '<slack_token>'})",),
}
