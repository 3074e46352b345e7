"""The reference of all rules as one HTML page that needs nothing else: examples are engraved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest

from clausula.constraints.example import Example
from clausula.constraints.listing import GROUPS, Listed, Standing
from clausula.constraints.reference import counted
from clausula.constraints.rule import Rule, Severity
from clausula.constraints.rule_words import (
    choices_in_words,
    enforcement_in_words,
    setting_in_words,
    source_in_words,
    table_of_example,
    titles_of_examples,
)
from clausula.constraints.rulesets import RuleSet, load_ruleset
from clausula.rules_engraving import engrave

_STYLE = """
:root{color-scheme:light;--fault:#c2185b;--line:#d8d4cc;--faint:#6b665e}
body{font:16px/1.5 Georgia,serif;color:#1d1b18;background:#fdfcf9;margin:0 auto;max-width:62rem;
padding:0 1rem 4rem}
h1{margin:1.5rem 0 .5rem}h2{margin:2.5rem 0 .5rem;border-bottom:2px solid}h3{margin:0}
h3 a{color:inherit;text-decoration:none}h3 code{font-size:1em;color:var(--faint);margin-right:.6em}
nav{position:sticky;top:0;background:#fdfcf9;border-bottom:1px solid var(--line);padding:.5rem 0;
display:flex;flex-wrap:wrap;gap:.3rem .9rem;align-items:center;z-index:1}
nav a{color:inherit}nav input{font:inherit;flex:1 1 14rem;padding:.2rem .5rem}
table{border-collapse:collapse;font-size:.9rem}th,td{padding:.15rem .6rem;text-align:left;
border-bottom:1px solid var(--line)}td.n{text-align:right}
article{padding:1.2rem 0;border-bottom:1px solid var(--line);scroll-margin-top:4rem}
section{scroll-margin-top:3rem}article p{margin:.3rem 0}dl{display:grid;
grid-template-columns:8.5rem 1fr;margin:.6rem 0;font-size:.93rem}dt{color:var(--faint)}
dd{margin:0 0 .25rem}.set{white-space:nowrap;margin-right:.8rem}.error{color:#a3122f}
.warning{color:#8a5a00}.style{color:#1a5f7a}.info,.label{color:#3a6b35}
.examples{display:flex;flex-wrap:wrap;gap:.8rem}figure{margin:0;padding:.5rem .7rem;background:#fff;
border:1px solid var(--line);border-top:3px solid var(--line);max-width:100%;overflow-x:auto}
figure.bad{border-top-color:var(--fault)}figcaption{font-size:.85rem;max-width:24rem}
figure svg{display:block;max-width:100%;height:auto;fill:currentColor;font-family:Times,serif}
svg path,svg rect,svg ellipse,svg polygon{stroke:currentColor}
.fault{color:var(--fault);fill:var(--fault)}[hidden]{display:none}
@media(max-width:36rem){dl{grid-template-columns:1fr}}
"""
_SCRIPT = """
const box=document.querySelector('nav input'),count=document.querySelector('nav output');
const rules=[...document.querySelectorAll('article')].map(a=>[a,a.textContent.toLowerCase()]);
box.addEventListener('input',()=>{
  const words=box.value.toLowerCase().split(/\\s+/).filter(Boolean);let shown=0;
  for(const [a,text] of rules){a.hidden=!words.every(w=>text.includes(w));shown+=!a.hidden}
  for(const s of document.querySelectorAll('section'))
    s.hidden=!s.querySelector('article:not([hidden])');
  count.textContent=shown+' rules';
});
"""
_LEVELS = [level for level in sorted(Severity, reverse=True) if level is not Severity.OFF]


def page(listed: Sequence[Listed], rulesets: Sequence[RuleSet]) -> str:
    """Rules as one page by groups, with a box that filters them; notes at fault are coloured."""
    glyphs: dict[str, str] = {}
    groups = {
        letter: [_rule(each, glyphs) for each in listed if each.group == letter]
        for letter in GROUPS
    }
    sections = [
        f'<section id="{letter}"><h2>{letter} · {escape(GROUPS[letter])}</h2>{"".join(rules)}'
        "</section>"
        for letter, rules in groups.items()
        if rules
    ]
    links = "".join(
        f'<a href="#{letter}" title="{escape(GROUPS[letter])}">{letter}</a>'
        for letter, rules in groups.items()
        if rules
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>The rules of clausula</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        '<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>'
        f"{''.join(glyphs[name] for name in sorted(glyphs))}</defs></svg>\n"
        f"<h1>The rules</h1>\n{_ABOUT}\n{_table(listed, rulesets)}\n"
        f'<nav>{links}<input type="search" placeholder="filter: octaves bass fux …" '
        f'aria-label="filter the rules"><output>{len(listed)} rules</output></nav>\n'
        f"{chr(10).join(sections)}\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


_ABOUT = (
    "<p>What each rule says and why, what books disagree about, how the rule sets take it. Notes "
    "at fault are coloured. Written by <code>clausula rules --out rules.html</code>; "
    "<code>--rules mine.toml</code> writes it for a rule set of your own.</p>"
)


def _table(listed: Sequence[Listed], rulesets: Sequence[RuleSet]) -> str:
    head = "".join(f"<th>{level.word}</th>" for level in _LEVELS)
    rows = []
    for ruleset in rulesets:
        counts = counted(listed, ruleset)
        cells = "".join(f'<td class="n">{counts[level] or ""}</td>' for level in _LEVELS)
        rows.append(
            f"<tr><th>{escape(ruleset.name)}</th>{cells}<td>{escape(ruleset.description)}</td></tr>"
        )
    return f"<table><tr><th>rule set</th>{head}<th></th></tr>{''.join(rows)}</table>"


def _rule(listed: Listed, glyphs: dict[str, str]) -> str:
    """A rule as an article; glyphs that its examples need are added to ``glyphs``."""
    rule = listed.rule
    choices = "<br>".join(escape(line) for line in choices_in_words(rule, listed.standings))
    facts = (
        ("Why", escape(rule.why)),
        ("Exceptions", escape(rule.exceptions)),
        ("Choices", choices),
        ("Rule sets", _standings(listed.standings)),
        ("Generated music", escape(enforcement_in_words(rule))),
        ("Source", escape(source_in_words(rule))),
    )
    told = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in facts if text)
    return (
        f'<article id="{rule.code}"><h3><a href="#{rule.code}"><code>{rule.code}</code>'
        f"{escape(rule.name)}</a></h3><p>{escape(rule.says)}</p><dl>{told}</dl>"
        f'<div class="examples">{"".join(_examples(rule, glyphs))}</div></article>\n'
    )


def _standings(standings: Sequence[Standing]) -> str:
    """The rule sets that take a rule, each with its severity; a note if none does."""
    words = []
    for each in standings:
        if each.taken:
            word = f'<b class="{each.severity.word}">{each.severity.word}</b>'
            words.append(f'<span class="set">{escape(each.ruleset)}: {word}{_price(each)}</span>')
    return " ".join(words) or "None takes it."


def _price(standing: Standing) -> str:
    if standing.hard:
        return " (never generated)"
    return f" ({standing.cost:g} nats)" if standing.cost else ""


def _examples(rule: Rule, glyphs: dict[str, str]) -> Iterator[str]:
    """Examples as figures: each that breaks the rule beside one that obeys it."""
    bad, good = titles_of_examples(rule)
    for number, (breaking, obeying) in enumerate(zip_longest(rule.breaking, rule.obeying)):
        if breaking:
            yield _figure(rule, breaking, "bad", bad if number == 0 else "Another", glyphs)
        if obeying:
            # Only the first pair differs in what is at fault.
            yield _figure(rule, obeying, "good", good if number == 0 else "No fault", glyphs)


def _figure(rule: Rule, example: Example, kind: str, title: str, glyphs: dict[str, str]) -> str:
    drawing = engrave(rule, example, load_ruleset("chorale"))
    glyphs.update(drawing.glyphs)
    notes = escape("; ".join(" ".join(line.split()) for line in table_of_example(example)))
    svg = drawing.svg.replace("<svg ", f'<svg role="img" aria-label="{notes}" ', 1)
    caption = escape(setting_in_words(example, engraved=True))
    return (
        f'<figure class="{kind}"><figcaption><b>{title}.</b> {caption}</figcaption>{svg}</figure>'
    )
