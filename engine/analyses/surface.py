"""Surface clusters: responses that are alike in wording, numbers masked.

Words and pairs of words weighted by TF-IDF, cosine distance, average linkage (scikit-learn). Wording is a poor proxy for
strategy: two texts of one strategy may part, and two strategies may share their words.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

METHOD: Final = "surface 1"
"""Name and version: another way of clustering is another method."""

DISTANCE: Final = 0.5
"""Mean cosine distance above which clusters stay apart."""
MOST_KINDS: Final = 2000
"""Distinct masked texts clustered at once; the time grows with their square."""

_EMPTY: Final = "·"
"""Stands for a text without words."""
_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_WORD: Final = re.compile(r"[^\W\d_]+|[^\w\s]|#")


def surface_clusters(responses: Sequence[str]) -> list[int | None]:
    """The cluster of each response, 1 the largest. None for responses beyond the MOST_KINDS most common masked texts."""
    masked = [_NUMBER.sub("#", response) for response in responses]
    # Of equally common texts a hash decides which are left out, not the order in which runs were sampled.
    common = sorted(Counter(masked).items(), key=lambda kind: (-kind[1], blake2b(kind[0].encode("utf-8", "replace")).digest()))
    kinds = sorted(kind for kind, _ in common[:MOST_KINDS])
    if not kinds:
        return []
    labels = dict(zip(kinds, _labels(kinds), strict=True))
    sizes = Counter(labels[text] for text in masked if text in labels)
    order = {label: place for place, (label, _) in enumerate(sizes.most_common(), start=1)}
    return [order[labels[text]] if text in labels else None for text in masked]


def _labels(kinds: list[str]) -> list[int]:
    if len(kinds) == 1:
        return [0]
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        tokenizer=_WORD.findall, token_pattern=None, lowercase=True, ngram_range=(1, 2), sublinear_tf=True
    )
    features = vectors.fit_transform([kind or _EMPTY for kind in kinds])  # rows of length 1
    distances = 1 - (features @ features.T).toarray().clip(0, 1)  # sparse till here: there are more pairs of words than memory
    clusters = AgglomerativeClustering(n_clusters=None, distance_threshold=DISTANCE, metric="precomputed", linkage="average")
    return [int(label) for label in clusters.fit_predict(distances)]
