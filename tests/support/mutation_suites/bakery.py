"""A session class with two added rules, for which `weak.py` and `strong.py` are test suites.

`tests/testing/mutation/test_runner.py` runs the suites on the mutants of `BakerySession`.
"""

from session_fsm import CustomerSession, Trigger, rule
from session_fsm.rules import coupon_code_required


@rule("order_too_small", on=[Trigger.CLOSE])
def order_is_worth_ten(total):
    """An order must be worth at least 10."""
    return total >= 10


class BakerySession(CustomerSession):
    rules = (*CustomerSession.rules, order_is_worth_ten, coupon_code_required)
