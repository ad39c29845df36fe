"""The plan of tallies: what counts as another declaration, so that everything is counted anew."""

from dataclasses import replace

from collector.contract.indicator import Counted
from collector.store.tallies import plan
from tests.store.small import INDICATORS, PLAN


def test_another_constant_in_a_formula_is_another_declaration() -> None:
    one = next(each for each in INDICATORS if isinstance(each.formula, Counted))
    assert isinstance(one.formula, Counted)
    facts = one.formula.table
    digests = {
        plan([replace(one, formula=replace(one.formula, hit=facts.c.changed >= least))]).digest for least in (80, 90)
    }
    assert len(digests) == 2
    assert plan(INDICATORS).digest == PLAN.digest, "the same is no other one"
