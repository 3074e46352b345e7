"""How far written music is from real music, with the distance of real from real as the yardstick.

Histograms of few pieces differ even where the music does not. So real pieces are halved at random,
again and again: one half is compared with the other, and as many written pieces with the same
other half. Written music is like real music where the two distances agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from results import markdown_table

from clausula.corpus import statistics
from clausula.corpus.histograms import Counts, histograms, jensen_shannon, pooled
from clausula.corpus.stats import motion, self_similarity
from clausula.grid import Grid

DRAWS = 200
INTERVAL = (5, 50, 95)  # percentiles over the draws
TITLES = {
    "degrees": "pitch: degrees of the key, by voice",
    "register": "pitch: register, by voice",
    "intervals": "melodic intervals, by voice",
    "chords": "chords: pitch classes above the tonic",
    "sonorities": "chords: pitch classes above the bass",
    "lengths": "rhythm: note lengths, by voice",
    "onsets": "rhythm: which voices start together",
    "rests": "rhythm: rests, by voice",
    "vertical": "dissonance: intervals of each voice pair",
}
NUMBERS = {
    "onsets": "onsets per beat, mean of the voices",
    "chords": "distinct chords per measure",
    "dissonance": "dissonance, share of strong beats",
    "outside": "notes outside the key's scale",
    "pitches": "self-similarity: pitches of the most alike earlier measure",
    "rhythms": "self-similarity: onsets of the most alike earlier measure",
    "moving_pairs": "voice pairs: share that moves",
    "parallels": "voice pairs: parallels per 1,000 moving",
}


def distances(
    written: Sequence[Grid], real: Sequence[Grid], seed: int, draws: int = DRAWS
) -> list[dict]:
    """A row a histogram: Jensen-Shannon distances, with 90 % of the draws about the median.

    Args:
        written: pieces.
        real: at least two pieces, which are halved.
        seed: of the halves.
        draws: how many times they are halved.

    Returns:
        ``histogram``; ``real`` and ``written``, each low, median and high; ``farther``, the share
        of draws in which written pieces are farther from the one half than the other half is.
    """
    rng = np.random.default_rng(seed)
    counted = [[histograms(grid) for grid in grids] for grids in (written, real)]
    size = min(len(real) // 2, len(written))
    found = np.array([_draw(*counted, size, rng) for _ in range(draws)])
    rows = []
    for name, (own, other) in zip(TITLES, found.transpose(1, 2, 0), strict=True):
        spread = {
            column: np.percentile(values, INTERVAL).round(4).tolist()
            for column, values in (("real", own), ("written", other))
        }
        rows.append({"histogram": name, **spread, "farther": float((other > own).mean())})
    return rows


def _draw(
    written: Sequence[Counts], real: Sequence[Counts], size: int, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """For each histogram the distances of a half and of written pieces to the other half."""
    order = rng.permutation(len(real))
    one, other = ([real[i] for i in order[a : a + size]] for a in (0, size))
    some = [written[i] for i in rng.permutation(len(written))[:size]]
    one, other, some = pooled(one), pooled(other), pooled(some)
    return [
        (jensen_shannon(one[name], other[name]), jensen_shannon(some[name], other[name]))
        for name in TITLES
    ]


def numbers(grids: Sequence[Grid]) -> dict[str, tuple[float, float]]:
    """Plain statistics pooled over the pieces, and their standard errors.

    The errors come from the spread of the pieces' own values; those of the moving pairs, of which
    a piece may have few, from leaving out one piece at a time.
    """
    own = [plain_numbers([grid]) for grid in grids]
    errors = {name: np.std([each[name] for each in own]) / np.sqrt(len(own)) for name in NUMBERS}
    if len(grids) > 1:
        without = [motion([*grids[:i], *grids[i + 1 :]]) for i in range(len(grids))]
        for name in without[0]:
            values = [each[name] for each in without]
            errors[name] = np.std(values) * np.sqrt(len(grids) - 1)
    return {name: (value, float(errors[name])) for name, value in plain_numbers(grids).items()}


def plain_numbers(grids: Sequence[Grid]) -> dict[str, float]:
    """The statistics that ``NUMBERS`` names, pooled over the pieces."""
    seen = statistics(grids)
    found = {
        "onsets": float(np.mean(list(seen["onsets_per_beat"].values()))),
        "chords": seen["chords_per_measure"],
        "dissonance": seen["strong_dissonance"],
        "outside": seen["outside_scale"],
        **self_similarity(grids),
        **motion(grids),
    }
    return {name: found[name] for name in NUMBERS}


def distance_table(rows: Sequence[dict]) -> str:
    """The distances as Markdown."""
    header = ["histogram", "real to real", "90 %", "written to real", "90 %", "farther"]
    body = []
    for row in rows:
        cells = []
        for low, median, high in (row["real"], row["written"]):
            cells += [f"{median:.3f}", f"{low:.3f} to {high:.3f}"]
        body.append([TITLES[row["histogram"]], *cells, f"{row['farther']:.0%}"])
    return markdown_table(header, body)


def number_table(columns: dict[str, dict[str, tuple[float, float]]]) -> str:
    """Plain statistics as Markdown, a column each for several sets of pieces."""
    rows = [
        [title, *("{:.3f} ± {:.3f}".format(*found[name]) for found in columns.values())]
        for name, title in NUMBERS.items()
    ]
    return markdown_table(["statistic", *columns], rows)
