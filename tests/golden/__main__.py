"""Write the golden numbers anew: `python -m tests.golden`.

Refuses where numbers have moved and their revision has not.
"""

import json
import sys

import torch

from tests.golden.numbers import EXACT, FILE, TOLERANCE, cases, moved, remembered

torch.set_num_threads(1)
before, after, guilty = remembered(), {}, []
for name, (number, compute) in cases().items():
    numbers = compute()
    known = before.get(name)
    if known and known["revision"] == list(number):
        if moved(known["numbers"], numbers, TOLERANCE.get(name, EXACT)):
            guilty.append(name)
        numbers = known["numbers"]
    after[name] = {"revision": list(number), "numbers": numbers}
if guilty:
    sys.exit(f"These numbers have moved and their revision has not; raise it: {', '.join(guilty)}")
rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(row)}" for name, row in after.items())
FILE.write_text(f"{{\n{rows}\n}}\n")
