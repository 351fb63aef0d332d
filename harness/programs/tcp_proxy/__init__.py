"""A TCP fault proxy that speaks the HTTP API of Toxiproxy 2.12: `python -m harness.programs.tcp_proxy`.

    HTTP ── api.py ── collection.py ── proxy.py ─ listener
                                          │
                                     connection.py         one client and its upstream
                                       │       │
                                     link.py  link.py      one direction each: a chain of stages
                                       │
                                     toxics/               one file a kind of fault

It behaves as Toxiproxy does, quirks included, so that any Toxiproxy client works on both. `--strict` repairs
what surprises: the seed decides, a reset reaches live connections, and a toxic never touches what its
toxicity spared. In both modes it refuses what makes the real server crash or an entry undeletable, and it
listens on loopback addresses only.
"""
