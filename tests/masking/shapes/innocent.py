"""Lines that neither hold a secret nor look as though they did."""

from __future__ import annotations

INNOCENT = (
    "{iso} INFO {logger} request {uuid} took {ms} ms",
    '{apache} "GET {path} HTTP/1.1" 200 {bytes} "https://{host}/" "Mozilla/5.0 (X11; Linux x86_64)"',
    "{syslog} {program}[{pid}]: connection from {ip} port {port} closed",
    "{syslog} kernel: [{small}.{digits}] eth0: link up, 1000 Mbps",
    '{"timestamp":"{iso}","level":"INFO","trace.id":"{trace}","span.id":"{hex16}","message":"done"}',
    'level=info ts={iso} caller={file}:{line} msg="compaction finished" duration={ms}ms',
    "Traceback (most recent call last):\n  File \"{pyfile}\", line {line}, in run\n    step()\nKeyError: '{word}'",
    "java.net.SocketTimeoutException: Read timed out\n\tat com.acme.{Camel}.run({Camel}.java:{line})",
    "SELECT id, name FROM {word} WHERE created > '{iso}' ORDER BY id LIMIT {small}",
    "{iso} {level} [{thread}] {logger} - cache {word} evicted {small} entries",
    "{cri} stdout F GET {path} {ms}ms",
    "+ docker build -t {word}:{version} .",
    "replicas: {small}\nimage: registry.{host}/{word}:{version}\nport: {port}",
    "GC(12) Pause Young (Normal) 24M->{small}M(256M) {ms}.123ms",
    "{sha1} Merge branch '{word}' into main",
    "md5 {hex32} sha256 {sha256} {file}",
    "up {small} days, load average: 0.{small}, 0.{small}, 0.{small}",
    "{iso},{level},{word},{ip},{ms}",
    "connect {ip}:{port} -> {ip}:{port} bytes={bytes}",
    "2001:db8::{hex4}:{hex4} mac 52:54:00:{hex2}:{hex2}:{hex2}",
    "at {file}:{line}:{small}, column {small}",
    "progress 42% |####      | {small}/{bytes} [00:{small}<01:10]",
    "user {user} opened {path} from {city}",
    "{epoch} {millis} {micros}",
    "",
    "    ",
    "====================================",
    "temperature 21.5 °C · Größe 12 µm · 東京 · naïve café",
)
