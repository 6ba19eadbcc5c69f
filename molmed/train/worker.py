"""A further process of a run, started by `molmed.train.processes`: it trains the epochs that rank 0 names.

It says "ready" and "received" on its output and reads the numbers of epochs from its input, whose end is its own.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

from molmed.train.processes import Place, broadcast, joined
from molmed.train.seed import seeded
from molmed.train.step import Stepper, threads, train_epoch


def main() -> None:
    """Run until the input ends."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else is printed goes into the log

    def say(word: str) -> None:
        print(word, file=replies, flush=True)

    meeting, rank, n, device, timeout = sys.argv[1:]
    place = Place(int(rank), int(n))
    import_module("lightning_fabric")  # heavy, so before the others wait for this process
    say("ready")
    with joined(place, Path(meeting), device, float(timeout)):
        try:
            learner, feed, config, saved = broadcast()
        except Exception as error:  # whatever it is, rank 0 says it
            say(f"something that another process cannot read ({' '.join(str(error).split())})")
            raise
        say("received")
        with threads(config):
            steps = Stepper(learner, config, len(feed), place)
            if saved is not None:
                steps.restore(saved)
            for line in sys.stdin:
                learner.load_state_dict(broadcast())
                with seeded(config.seed, int(line), place.rank):
                    train_epoch(steps, feed.part(place.rank, place.n), int(line))


if __name__ == "__main__":
    main()
