"""Does the style tag steer? A classifier that learnt from real pieces names what is written.

The classifier sees no meter, key or phrase ends, and learns from the pieces that the network
learnt from; how well it does on held-out pieces is stated. Then the network writes pieces with
every tag and without one, unconstrained, on the meters, keys and lengths of held-out chorales: the
same for every tag. It is told the chorales' phrase ends, as in composing, or that they are not
known, as it learnt the styles in which nobody marked them. Statistics of what is written, told as
in learning, stand beside those of held-out pieces.

    uv run python benchmarks/style.py --n 24
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jax
import numpy as np
from distances import distance_table, distances, number_table, numbers
from results import markdown_table, progress_bar, provenance, write_text
from style_classifier import Classifier, Passages, confusion, fit, passages, windows

from clausula.corpus import Corpus, held_out, load_bundled
from clausula.errors import ClausulaError, InputError
from clausula.grid import Grid
from clausula.neural.features import example_of
from clausula.neural.material import ANY, MAIN_STYLE
from clausula.neural.proposals import DEFAULT, NAMES, Loaded, load_proposal
from clausula.runtime import keep_compiled_programs
from clausula.sampling import grid_of_sample, sample_pieces

REPORT = Path(__file__).with_name("reports") / "style.json"
FEWEST_LEARNT = 10  # passages from which a style can be told
FEWEST_REAL = 6  # held-out passages that written ones are compared with
PHRASES = ("known", "unknown")  # what the network is told of phrase ends
NORMAL_95 = 1.96  # standard deviations


@dataclass(frozen=True)
class Named:
    """What passages of some tags were named.

    Attributes:
        tags: of the rows.
        styles: that can be named, of the columns.
        counts: ``[tag][style]`` passages.
    """

    tags: tuple[str, ...]
    styles: tuple[str, ...]
    counts: list[list[int]]

    def right(self, tag: str) -> tuple[int, int]:
        """How many passages of a tag were named so, and how many there are."""
        row = self.counts[self.tags.index(tag)]
        return row[self.styles.index(tag)], sum(row)

    def wrong(self, tag: str) -> tuple[int, int]:
        """How many passages of the other styles were named by a tag, and how many there are."""
        others = [row for other, row in zip(self.tags, self.counts, strict=True) if other != tag]
        column = self.styles.index(tag)
        return sum(row[column] for row in others), sum(map(sum, others))

    @property
    def balanced(self) -> float:
        """Share named rightly, every style counting alike."""
        pairs = [self.right(tag) for tag in self.tags if tag in self.styles]
        return float(np.mean([part / whole for part, whole in pairs]))


def wilson(part: int, whole: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    share, z = part / whole, NORMAL_95**2 / whole
    middle = (share + z / 2) / (1 + z)
    half = np.sqrt(z * share * (1 - share) + z**2 / 4) / (1 + z)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def named(classifier: Classifier, found: Passages, tags: Sequence[str]) -> Named:
    """The passages as the classifier names them."""
    names = classifier.name(found.grids)
    counts = confusion(tags, classifier.styles, found.styles, names)
    return Named(tuple(tags), classifier.styles, counts.tolist())


def split(corpus: Corpus) -> tuple[list[int], list[int]]:
    """Places of the pieces to learn from and of those held out, of styles that can be told."""
    apart = held_out(corpus)
    kept = sorted(set(range(len(corpus))) - set(apart))
    enough = Counter(passages(corpus, kept).styles)
    heard = {corpus.styles[i] for i in apart}
    told = {style for style in heard if enough[style] >= FEWEST_LEARNT}
    return tuple([i for i in part if corpus.styles[i] in told] for part in (kept, apart))


def write(
    loaded: Loaded,
    tags: Sequence[str],
    like: Sequence[Grid],
    arguments: argparse.Namespace,
    phrases: str,
) -> Passages:
    """Unconstrained pieces, as many for each tag, on the controls of real ones."""
    models = [like[i % len(like)] for i in range(arguments.n)]
    found: list[Grid] = []
    key = jax.random.key(arguments.seed)
    description = f"writing, phrases {phrases}"
    with progress_bar() as progress:
        for number, tag in enumerate(progress.track(tags, description=description)):
            place, known = loaded.styles.index(tag), phrases == "known"
            controls = [example_of(m, place, phrases_known=known).controls for m in models]
            samples = sample_pieces(
                loaded, controls, jax.random.fold_in(key, number), arguments.temperature
            )
            found += [grid_of_sample(s, m) for s, m in zip(samples, models, strict=True)]
    return Passages(
        tuple(found),
        tuple(tag for tag in tags for _ in models),
        tuple(range(len(found))),
    )


def compared(
    written: dict[str, Passages], real: Passages, marked: set[str], seed: int
) -> dict[str, dict]:
    """For every style with enough real passages: distances and plain statistics.

    Args:
        written: passages by what the network was told of phrase ends.
        real: held-out passages.
        marked: styles whose phrase ends the network learnt.
        seed: of the distances.
    """
    sections = {}
    for style, count in Counter(real.styles).items():
        if count < FEWEST_REAL:
            continue
        phrases = "known" if style in marked else "unknown"
        own, other = (
            [grid for grid, tag in zip(each.grids, each.styles, strict=True) if tag == style]
            for each in (written[phrases], real)
        )
        sections[style] = {
            "phrases": phrases,
            "written": len(own),
            "held_out": len(other),
            "distances": distances(own, other, seed),
            "numbers": {"written": numbers(own), "held out": numbers(other)},
        }
    return sections


def draw(real: Named, written: dict[str, Named], path: Path) -> None:
    """All confusion matrices as one picture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * (1 + len(written)), 5.4), layout="constrained")
    panels = [(real, f"held-out pieces\n{real.balanced:.0%} named rightly", "style")]
    for phrases, found in written.items():
        title = f"written, phrase ends {phrases}\n{found.balanced:.0%} named as asked"
        panels.append((found, title, "tag asked for"))
    for axes, (found, title, rows) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        counts = np.array(found.counts)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(found.styles)), found.styles, rotation=45, ha="right")
        axes.set_yticks(range(len(found.tags)), found.tags)
        axes.set(title=title, xlabel="named by the classifier", ylabel=rows)
        for (row, column), count in np.ndenumerate(counts):
            if count:
                colour = "white" if shares[row, column] > 0.5 else "black"
                axes.text(column, row, count, ha="center", va="center", color=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def share_cell(part: int, whole: int) -> str:
    """A share with its interval, in words."""
    low, high = wilson(part, whole)
    return f"{part} of {whole} ({low:.0%} to {high:.0%})"


def names_table(real: Named, written: dict[str, Named]) -> str:
    """For each style how often it was named, in Markdown."""
    header = ["style", "held out, named rightly"]
    for phrases in written:
        header += [f"{phrases}: with the tag, named so", f"{phrases}: without it, named so"]
    rows = []
    for style in real.styles:
        row = [style, share_cell(*real.right(style))]
        for found in written.values():
            row += [share_cell(*found.right(style)), share_cell(*found.wrong(style))]
        rows.append(row)
    return markdown_table(header, rows)


def page(
    sections: dict[str, dict], real: Named, written: dict[str, Named], picture: str, command: str
) -> str:
    """The results as Markdown."""
    asked = " and ".join(
        f"{found.balanced:.0%} of those written with phrase ends {phrases}"
        for phrases, found in written.items()
    )
    lines = [
        "# Does the style tag steer?",
        "",
        "Caveats: most styles have few held-out passages, often of one work; the classifier "
        "cannot name a style better in written pieces than it does in real ones; written pieces "
        "use the meters, keys and lengths of held-out chorales, which are not those of the other "
        "styles. Phrase ends are marked in the chorales alone, so both ways of telling them are "
        "foreign to some style. Nothing was chosen among: these are the network's own pieces, "
        "without rules or search. Brackets: 95 % of Wilson's interval.",
        "",
        f"Styles counting alike, {real.balanced:.0%} of held-out passages are named rightly; as "
        f"asked, {asked}. By chance it would be {1 / len(real.styles):.0%}.",
        "",
        f"![confusion matrices]({picture})",
        "",
        names_table(real, written),
        "",
        "## Statistics beside held-out pieces",
        "",
        "Jensen-Shannon distances (0 alike, 1 nothing in common) of random halves of the held-out "
        "passages from each other, and of as many written ones from the same half; *farther* is "
        "the share of 200 halvings in which the written ones are farther. ± is a standard error. "
        "Parallels count in 1,000 moving pairs, so a style that moves fewer pairs has fewer of "
        "them in a piece. The network was told of phrase ends what it was told in learning.",
    ]
    for style, section in sections.items():
        lines += [
            "",
            f"### {style}: {section['written']} written, {section['held_out']} held out",
            "",
            distance_table(section["distances"]),
            "",
            number_table(section["numbers"]),
        ]
    lines += ["", f"Measured with {provenance()}:", "", f"    {command}", ""]
    return "\n".join(lines)


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options.

    Raises:
        InputError: a number is out of its range.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proposal", default=DEFAULT, choices=list(NAMES), help="whose tags")
    parser.add_argument("--weights", type=Path, help="its file; the shipped one if left out")
    parser.add_argument("--n", type=int, default=24, help="pieces written with each tag")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument(
        "--json",
        type=Path,
        default=REPORT,
        help="where the numbers go; the page and the picture go beside it",
    )
    found = parser.parse_args(argv)
    if found.n < 2:
        raise InputError(f"--n {found.n} is too few to say anything; try 24")
    if found.seed < 0:
        raise InputError(f"--seed {found.seed} is negative; try 0")
    return found


def measure(arguments: argparse.Namespace) -> tuple[dict, Named, dict[str, Named]]:
    """The whole benchmark.

    Returns:
        All numbers, and what real and written passages were named.

    Raises:
        InputError: the proposal does not know the styles that can be told.
    """
    loaded = load_proposal(arguments.proposal, arguments.weights)
    corpus = load_bundled()
    learnt, apart = split(corpus)
    tags = (*sorted({corpus.styles[i] for i in learnt}), ANY)
    unknown = [tag for tag in tags if tag not in loaded.styles]
    if unknown:
        raise InputError(
            f"{loaded.name} does not know the styles {', '.join(unknown)}, so there is no tag to "
            "judge; try --proposal transformer"
        )
    classifier = fit(corpus, learnt)
    real = passages(corpus, apart)
    like = [next(windows(corpus.grids[i])) for i in apart if corpus.styles[i] == MAIN_STYLE]
    written = {phrases: write(loaded, tags, like, arguments, phrases) for phrases in PHRASES}
    on_real = named(classifier, real, classifier.styles)
    on_written = {phrases: named(classifier, found, tags) for phrases, found in written.items()}
    marked = {style for style in classifier.styles if _marks_phrases(corpus, style)}
    result = {
        "proposal": loaded.name,
        "metadata": loaded.metadata,
        **{name: getattr(arguments, name) for name in ("n", "seed", "temperature")},
        "penalty": classifier.penalty,
        "real": _recorded(on_real),
        "written": {phrases: _recorded(found) for phrases, found in on_written.items()},
        "sections": compared(written, real, marked, arguments.seed),
    }
    return result, on_real, on_written


def _marks_phrases(corpus: Corpus, style: str) -> bool:
    """Whether most pieces of a style have their phrase ends marked."""
    pairs = zip(corpus.phrases_known, corpus.styles, strict=True)
    return float(np.mean([known for known, tag in pairs if tag == style])) > 0.5


def _recorded(found: Named) -> dict:
    return asdict(found) | {"balanced": found.balanced}


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    try:
        arguments = options(argv)
        keep_compiled_programs()
        result, real, written = measure(arguments)
    except ClausulaError as error:
        print(f"style: {error}", file=sys.stderr)
        return 2
    picture = arguments.json.with_suffix(".png")
    draw(real, written, picture)
    command = "uv run python benchmarks/style.py " + " ".join(
        f"--{name} {getattr(arguments, name)}" for name in ("proposal", "n", "seed", "temperature")
    )
    text = page(result["sections"], real, written, picture.name, command)
    print(text)
    write_text(arguments.json, json.dumps(result, indent=1) + "\n")
    write_text(arguments.json.with_suffix(".md"), text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
