"""The committed reference is what the rules say; one command writes it again."""

import re
from html import unescape
from pathlib import Path

from clausula.constraints.listing import rules, rulesets_of
from clausula.constraints.reference import markdown
from clausula.constraints.registry import RULES

DOCS = Path(__file__).parents[2] / "docs"
AGAIN = "write it again: clausula rules --out docs/rules.md --out docs/rules.html"


def test_the_markdown_is_up_to_date():
    written = (DOCS / "rules.md").read_text(encoding="utf-8")
    assert written == markdown(rules(), rulesets_of(None)), AGAIN


def test_the_page_has_every_rule_and_its_words():
    page = (DOCS / "rules.html").read_text(encoding="utf-8")
    articles = dict(re.findall(r'<article id="(\w+)">(.*?)</article>', page, re.DOTALL))
    assert list(articles) == [each.rule.code for each in rules()], AGAIN
    for code, article in articles.items():
        rule, text = RULES[code], unescape(article)
        for words in (rule.name, rule.says, rule.why, rule.exceptions, rule.source):
            assert words in text, AGAIN
        assert article.count("<svg ") == len(rule.breaking) + len(rule.obeying), AGAIN


def test_a_rule_is_one_heading_and_its_examples_are_tables():
    page = markdown(rules(code="V10"), rulesets_of("chorale"))
    assert page.count("### ") == 1
    assert page.count("```text") == 2
    assert "| chorale | 1 |" in page
