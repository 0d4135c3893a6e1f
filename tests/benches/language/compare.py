"""Times ours and VADER by turns (A B A B ...) on the same texts; see `run`.

The CPU time is that of one process each, read from one clock.
"""

import argparse
import gzip
import statistics
import subprocess
import sys
import time
from pathlib import Path

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

DATA = Path("../shared/data/text/sentiment/valid.tsv.gz")
TEXTS = Path("target/tools/vader/texts")


class Ours:
    """The program that does what a line says."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # The clock of another process's CPU time, as clock_getcpuclockid(3) gives it.
        self.clock = (~self.process.pid << 3) | 2

    def ask(self, *words):
        before = time.clock_gettime(self.clock)
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit("ours has ended")
        return time.clock_gettime(self.clock) - before, float(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--texts", type=int, default=3000)
    arguments = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA} is absent")
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    texts = [row[-1] for row in rows if row[0] == "en"][: arguments.texts]
    TEXTS.parent.mkdir(parents=True, exist_ok=True)
    TEXTS.write_text("\n".join(texts) + "\n", encoding="utf-8")
    ours = Ours(arguments.program)
    ours.ask("load", TEXTS)
    vader = SentimentIntensityAnalyzer()
    times = {"all": [], "feelings": [], "vader": []}
    for _ in range(arguments.rounds):
        # Ours ten times over, so that the clock's grain does not show.
        times["all"].append(ours.ask("analyze", 10)[0] / 10)
        times["feelings"].append(ours.ask("feel", 10)[0] / 10)
        before = time.process_time()
        for text in texts:
            vader.polarity_scores(text)
        times["vader"].append(time.process_time() - before)
    print(f"{len(texts)} English texts, {arguments.rounds} rounds")
    print("texts in a second of CPU, and the ratio (least-greatest)")
    for name, seconds in times.items():
        ratios = sorted(peer / own for peer, own in zip(times["vader"], seconds))
        rate = len(texts) / statistics.median(seconds)
        print(f"{name:<10}{rate:>10.0f}  {statistics.median(ratios):6.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f})")


main()
