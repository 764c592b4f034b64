"""What holds for every test: examples are not timed, since the machine is shared."""

from hypothesis import HealthCheck, settings

settings.register_profile("logfanout", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("logfanout")
