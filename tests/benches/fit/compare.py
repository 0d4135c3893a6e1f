"""Times ours and lifetimes by turns (A B A B ...) on the same customers; see `run`.

Both begin with the customers in memory, one row each. A fit of ours includes the counting of equal rows; a score of ours is a
forecast, which has the chance of any order as well. The CPU time is that of the whole process, read from the same clock.
"""

import argparse
import csv
import datetime
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from lifetimes import BetaGeoFitter, ParetoNBDFitter

DATA = Path("../shared/data/cdnow/cdnow_sample.csv")
FOLDER = Path("target/tools/lifetimes/customers")
WEEKS = 39
SEED = 1
FITTERS = {"bg_nbd": BetaGeoFitter, "pareto_nbd": ParetoNBDFitter}
# The published parameters of CDNOW, of which customers are simulated: r, alpha, s, beta.
TRUTH = (0.553, 10.578, 0.606, 11.669)


class Ours:
    """The program that does what a line says."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        # The clock of another process's CPU time, as clock_getcpuclockid(3) gives it.
        self.clock = (~self.process.pid << 3) | 2

    def ask(self, *words):
        before = time.clock_gettime(self.clock)
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("ours has ended")
        return time.clock_gettime(self.clock) - before, [float(word) for word in answer]

    def peak(self):
        """The most memory it had, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def sample():
    """The sample of CDNOW to 1997-09-30: x, and t_x and T in days."""
    cut = datetime.date(1997, 9, 30)
    days = {}
    with DATA.open() as file:
        for row in csv.DictReader(file):
            day = datetime.date.fromisoformat(row["date"])
            if day <= cut:
                days.setdefault(row["customer_id"], set()).add(day)
    rows = [(len(of) - 1, (max(of) - min(of)).days, (cut - min(of)).days) for of in days.values()]
    return np.array(rows).T


def jittered(times):
    """The sample so many times over, with the first and the last order moved by up to three days."""
    random = np.random.default_rng(SEED)
    x, last, age = np.tile(sample(), times)
    age = age + random.integers(-3, 4, age.size)
    last = np.where(x == 0, 0, np.clip(last + random.integers(-3, 4, age.size), x, age))
    return x, last, age


def simulated(customers):
    """Customers of Pareto/NBD who came within a year, each on a day."""
    random = np.random.default_rng(SEED)
    r, alpha, s, beta = TRUTH
    age = random.integers(7, 365, customers)
    active = np.minimum(age, 7 * random.exponential(1 / random.gamma(s, 1 / beta, customers)))
    orders = random.poisson(random.gamma(r, 1 / alpha, customers) * active / 7)
    # The latest of so many times that are even over the time of activity.
    last = np.ceil(active * random.random(customers) ** (1 / np.maximum(orders, 1))).astype(int)
    last = np.where(orders == 0, 0, np.minimum(last, age))
    return np.minimum(orders, last), last, age


def customers_of(size):
    if size == 2357:
        return sample()
    if size % 2357 == 0 and size < 1_000_000:
        return jittered(size // 2357)
    return simulated(size)


def cpu(work):
    before = time.process_time()
    result = work()
    return time.process_time() - before, result


def scored(peer, times, x, t_x, T):
    for _ in range(times):
        orders = np.sum(peer.conditional_expected_number_of_purchases_up_to_time(WEEKS, x, t_x, T))
        alive = np.sum(peer.conditional_probability_alive(x, t_x, T))
    return orders, alive


def spread(ratios):
    return f"{statistics.median(ratios):7.1f} ({min(ratios):.1f}-{max(ratios):.1f})"


def report(what, pairs, note):
    ours, peer = (statistics.median(side) for side in zip(*pairs))
    ratios = [peer / ours for ours, peer in pairs]
    print(f"{what:<34} {1e3 * ours:>10.2f} {1e3 * peer:>10.1f} ms  {spread(ratios):<24} {note}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sizes", default="2357,23570,1000000")
    arguments.add_argument("--patience", type=float, default=120)
    chosen = arguments.parse_args()
    if not DATA.exists():
        sys.exit(f"the customers are made of {DATA}, which is not there")
    FOLDER.mkdir(exist_ok=True)
    print(f"{'CPU, medians':<34} {'ours':>10} {'lifetimes':>10}     ratio")
    last = {}
    for size in (int(size) for size in chosen.sizes.split(",")):
        x, last_order, age = customers_of(size)
        t_x, T = last_order / 7, age / 7
        file = FOLDER / f"{size}.csv"
        with file.open("w", newline="") as out:
            table = csv.writer(out)
            table.writerow(["x", "t_x", "T"])
            table.writerows(zip(x.tolist(), t_x.tolist(), T.tolist()))
        ours = Ours(chosen.program)
        _, (count, distinct) = ours.ask("load", file)
        print(f"-- {count:,.0f} customers, {distinct:,.0f} of them distinct")
        for kind, fitter in FITTERS.items():
            grown = last.get(kind)
            expected = grown and grown[1] * size / grown[0]
            peer = None if expected and expected > chosen.patience else fitter(penalizer_coef=0.0)
            rounds = min(chosen.rounds, 2 if expected < 60 else 1) if expected and expected >= 10 else chosen.rounds
            fits, fit = [], None
            for n in range(rounds + 1):
                # The first round warms both up.
                spent, fit = ours.ask("fit", kind)
                theirs, _ = cpu(lambda: peer.fit(x, t_x, T)) if peer and (n > 0 or rounds > 2) else (0.0, None)
                fits += [(spent, theirs)] if n > 0 else []
            ln_likelihood, _, evaluations, *parameters = fit
            if peer:
                last[kind] = (size, statistics.median(theirs for _, theirs in fits))
                at_theirs = ours.ask("value", kind, *peer.params_.values)[1][0]
                report(f"fit {kind}", fits, f"log-likelihood {ln_likelihood:.4f}, lifetimes {at_theirs:.4f}")
            else:
                # Its parameters are ours: scoring costs the same wherever they are from.
                peer = fitter()
                peer.params_ = dict(zip(["r", "alpha", *(["a", "b"] if kind == "bg_nbd" else ["s", "beta"])], parameters))
                median = statistics.median(spent for spent, _ in fits)
                print(f"{'fit ' + kind:<34} {1e3 * median:>10.2f} {'skipped':>10}     log-likelihood {ln_likelihood:.4f};"
                      f" lifetimes would take some {expected:.0f} s")
            print(f"{'':<34} {evaluations:.0f} evaluations of the likelihood")
            scores = []
            # Few are scored several times, as to ask and to answer takes a while.
            times = max(1, 100_000 // size)
            for n in range(chosen.rounds + 1):
                spent, (orders, alive, _) = ours.ask("score", times, kind, WEEKS, *parameters)
                theirs, (peer_orders, peer_alive) = cpu(lambda: scored(peer, times, x, t_x, T))
                scores += [(spent / times, theirs / times)] if n > 0 else []
            note = f"orders {orders:.1f}, lifetimes {peer_orders:.1f}; active {alive:.1f}, {peer_alive:.1f}"
            report(f"score {kind}", scores, note)
        ours.end()
        for kind in FITTERS if size == 1_000_000 else []:
            alone = Ours(chosen.program)
            at_start = alone.peak()
            spent, _ = alone.ask("stream", kind, file)
            print(f"{'read, count and fit ' + kind:<34} {1e3 * spent:>10.2f} ms, at most {alone.peak():.1f} MB"
                  f" of memory, {at_start:.1f} of them at the start")
            alone.end()


main()
