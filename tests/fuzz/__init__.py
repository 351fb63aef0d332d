"""Seeded fuzzing of the parsers that read bytes they did not write: `python -m tests.fuzz --help`.

```
seeds ─▶ mutations(seed, number) ─▶ trial (time, memory) ─▶ kept | refused | Finding ─▶ shrunk, saved
             └────── two worker processes, watched from outside ──────┘
```
"""
