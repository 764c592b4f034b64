import sys
from bench.profiles import PROFILES
from bench.running import measured

if __name__ == "__main__":
    for case in PROFILES[sys.argv[1]].cases:
        r = measured(case)
        print(case.name, {k: round(v, 3) for k, v in r.figures.items()}, r.requests)
