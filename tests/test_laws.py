"""What holds whatever is done to a session, in whatever order, be it legal or not.

The laws are those of the testing kit, which holds each class against an independent reference: whatever a verb does
it does wholly or not at all, and as a dry run has foretold; totals are exact and gross; what came back and what
remains add up; counts and times are those of the successes.
"""

from hypothesis import settings

from session_fsm import CustomerSession
from session_fsm.rules import coupon_code_required
from session_fsm.testing import SessionMachine

LONG = settings(SessionMachine.settings, database=None, max_examples=100, stateful_step_count=25)


class Shop(CustomerSession):
    rules = (*CustomerSession.rules, coupon_code_required)


class TestLifeOfASession(SessionMachine):
    kind = CustomerSession
    settings = LONG


class TestLifeUnderAnOptionalRule(SessionMachine):
    kind = Shop
    settings = settings(LONG, max_examples=50)
