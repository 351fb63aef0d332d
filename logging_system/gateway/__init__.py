"""Takes logs from other processes over HTTP; 200 means that they are durable in the spool.

```
POST /v1/logs    OTLP/HTTP, protobuf or JSON ─┐
                                              ├─ documents ─▶ intake (group commit) ─▶ spool ─▶ 200
POST /v1/ndjson  one JSON object a line ──────┘        │
                                                       └─ no room: 429 and Retry-After, nothing kept
```

A gateway holds nothing but its spool, so any number of them may stand behind a balancer.
"""
