"""Imports point one way, and what is slow to load is loaded only where it is needed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import clausula

PACKAGE = Path(clausula.__file__).parent
NOTATION = {
    "reading",
    "label_reading",
    "staves",
    "xml_mending",
    "xml_times",
    "xml_voices",
    "linear_import",
    "midi_reading",
    "writing",
    "midi_writing",
    "engraving",
}
CORE = {
    "errors",
    "folders",
    "pitch",
    "chords",
    "figures",
    "grid",
    "vocabulary",
    "score",
    "slices",
    "notation",
    "lines",
    "limits",
    "part_order",
    "text_formats",
    "key_finding",
    "gridding",
    "proposal",
    "beam_rows",
}
PARTS = {"corpus", "constraints", "neural", "engine", "checker"}
# What each layer may import. Modules that are not named here are the doors (composing, the command
# line, the package itself): they may import everything, and nothing below may import them.
BELOW = {
    "core": {"core"},
    "notation": {"core", "notation"},
    "corpus": {"core", "notation", "corpus"},
    "constraints": {"core", "constraints"},
    "neural": {"core", "corpus", "constraints", "neural"},
    "engine": {"core", "corpus", "constraints", "engine"},
    "checker": {"core", "constraints", "checker"},
}
# The checker's core judges scores; only a file's name makes it read one, inside a function.
LAZILY = {("checker.check", "clausula.reading")}
# Who may import what is slow to load, anywhere in its code.
SLOW = {
    "music21": {
        "reading",
        "staves",
        "linear_import",
        "writing",
        "corpus.encode",
        "corpus.thinning",
    },
    "verovio": {"engraving"},
    "resvg_py": {"engraving"},
    "mido": {"midi_reading", "midi_writing", "reading"},
    "typer": {"cli", "check_cli", "corpus_cli", "rules_cli", "training_cli"},
}
ACCELERATED = {"jax", "flax", "optax"}


class Import(NamedTuple):
    """One import: who imports what, and whether only when a function is called."""

    importer: str
    imported: str
    lazy: bool

    @property
    def root(self) -> str:
        return self.imported.split(".")[0]


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name without ``clausula.``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        names = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(names[:-1] if names[-1] == "__init__" else names)] = path
    return found


def statements(node: ast.AST, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node below, and whether it is inside a function."""
    for child in ast.iter_child_nodes(node):
        yield child, lazy
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from statements(child, lazy or inside)


def imports_of(source: str, importer: str, known: set[str]) -> Iterator[Import]:
    """What a module imports: full names, of the package's own modules as deep as they go."""
    for node, lazy in statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(importer, alias.name, lazy)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{importer}: a relative import hides where it points"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                is_module = deeper.removeprefix("clausula.") in known
                yield Import(importer, deeper if is_module else str(node.module), lazy)


def layer_of(module: str) -> str:
    """The layer of a module, by its name without ``clausula.``."""
    head = module.split(".")[0]
    if head in PARTS:
        return head
    return "core" if head in CORE else "notation" if head in NOTATION else "doors"


MODULES = modules()
IMPORTS = [
    found
    for name, path in MODULES.items()
    for found in imports_of(path.read_text(), name, set(MODULES))
]


def upward(imports: list[Import]) -> list[Import]:
    """The imports that point from a layer to one above it or beside it."""
    wrong = []
    for found in imports:
        if found.root != "clausula":
            continue
        importer = layer_of(found.importer)
        imported = layer_of(found.imported.removeprefix("clausula").removeprefix("."))
        allowed = importer == "doors" or imported in BELOW[importer]
        if not allowed and not (found.lazy and (found.importer, found.imported) in LAZILY):
            wrong.append(found)
    return wrong


def test_every_named_module_exists():
    assert set(MODULES) >= CORE | NOTATION | PARTS
    assert set(MODULES) >= {name for names in SLOW.values() for name in names}


def test_imports_point_one_way():
    assert upward(IMPORTS) == []


def test_what_is_slow_to_load_stays_at_the_edges():
    wrong = [i for i in IMPORTS if i.importer not in SLOW.get(i.root, {i.importer})]
    assert wrong == []


def test_only_engine_neural_and_doors_import_jax():
    # Both neural and engine carry rows along, and neither imports the other.
    importers = {i.importer for i in IMPORTS if i.root in ACCELERATED} - {"beam_rows"}
    assert {layer_of(importer) for importer in importers} == {"engine", "neural", "doors"}


def test_the_package_itself_imports_nothing_slow_at_once():
    eager = {i.root for i in IMPORTS if i.importer in ("", "cli", "check_cli") and not i.lazy}
    assert eager.isdisjoint(ACCELERATED | {"music21", "verovio", "matplotlib"})


def test_an_upward_import_is_seen():
    known = set(MODULES)
    sources = {
        "import clausula.checker.check": True,
        "from clausula.neural import network": True,
        "from clausula.composing import compose": True,
        "def f():\n    from clausula.neural.network import ORDER": True,
        "if True:\n    from clausula import searching": True,
        "from clausula.constraints.rule import Rule": False,
        "import numpy": False,
    }
    for source, wrong in sources.items():
        found = list(imports_of(source, "engine.search", known))
        assert bool(upward(found)) is wrong, source
    lazy = list(imports_of("def f():\n    import clausula.reading", "checker.check", known))
    eager = list(imports_of("import clausula.reading", "checker.check", known))
    assert (upward(lazy), upward(eager)) == ([], eager)


def test_checking_a_score_loads_neither_jax_nor_music21():
    program = """
import sys
from fractions import Fraction
import clausula as cl
pitches = [cl.SpelledPitch.parse(name) for name in ("F5", "D5")], [
    cl.SpelledPitch.parse(name) for name in ("Bb4", "G4")
]
parts = tuple(
    cl.Part(name, tuple(cl.Note(f"{name}{i}", Fraction(i), Fraction(1), pitch)
                        for i, pitch in enumerate(line)))
    for name, line in zip("SB", pitches)
)
score = cl.Score(parts, ((Fraction(0), cl.Meter(4, 4)),), ((Fraction(0), cl.Key.parse("F")),))
report = cl.check(score)
print([finding.code for finding in report.findings])
print(sorted({"jax", "flax", "music21", "verovio", "matplotlib"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    found, loaded = done.stdout.splitlines() or ("", done.stderr)
    assert "M01" in found
    assert loaded == "[]"
