"""How hypothesis runs here: without deadlines, because machines differ, and without leaving files behind."""

from hypothesis import HealthCheck, settings

settings.register_profile("tests", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
