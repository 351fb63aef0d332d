"""Alerts from what is logged: rules, grouping, a durable outbox and channels; needs the spool and no store.

```
spool ─ spool_following ─▶ evaluation (rules) ─▶ grouping ─▶ outbox ─▶ channels
                                  └──────── one state file ────────┘
```

Rules, grouping and outbox have no thread, socket, file or clock inside: `watching` tells them what happened
and what time it is, and makes what they decided durable before anything is sent.
"""
