"""All kinds of stories, each by seed."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.differential.analytics_by_seed import analytics_story
from tests.differential.asked import Asked
from tests.differential.indices_by_seed import indices_story
from tests.differential.requests_by_seed import story
from tests.differential.spellings_by_seed import spelled_story
from tests.differential.values_by_seed import values_story

STORIES: dict[str, Callable[[int], list[Asked]]] = {
    "documents": story,
    "spellings": lambda seed: spelled_story(random.Random(seed), f"spelled-{seed}"),
    "values": lambda seed: values_story(random.Random(seed), f"valued-{seed}"),
    "analytics": lambda seed: analytics_story(random.Random(seed), f"analyzed-{seed}"),
    "indices": lambda seed: indices_story(random.Random(seed), f"several-{seed}"),
}
