"""Makes trials for some minutes, or repeats one: `python -m hostile.adversary --help`."""

from __future__ import annotations

import argparse
import importlib
import sys

from hostile.adversary.campaign import Campaign
from hostile.adversary.trials import KINDS, Trial


def main() -> int:
    """Run the command; the exit status is 1 if a trial did not hold."""
    kinds = "\n".join(f"  {kind}: {what}" for kind, what in KINDS.items())
    parser = argparse.ArgumentParser(
        prog="hostile.adversary",
        description=f"Makes trials at random:\n{kinds}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=1, help="how long (default 1)")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other trials (default 1)")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS), help="only these kinds")
    parser.add_argument("--trial", metavar="KIND:SEED:NUMBER", help="repeat this trial alone, in this process")
    given = parser.parse_args()
    if given.trial:
        Trial.named(given.trial).make()
        return 0
    try:
        for kind in given.kinds:
            importlib.import_module(f"hostile.adversary.{kind}")
    except ModuleNotFoundError as error:
        parser.error(f"{error}; install the extra `test`")
    campaign = Campaign(given.seed, given.kinds)

    def told(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    try:
        campaign.run(60 * given.minutes, told)
    finally:
        told(f"seed {given.seed}: {campaign}")
    return 1 if campaign.breaks else 0


if __name__ == "__main__":
    sys.exit(main())
