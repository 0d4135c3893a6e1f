#!/usr/bin/env python3
"""Prepares `lines.csv.gz` from the lines as published: adds the column `order` and puts each order's lines together.

Usage: prepare.py PUBLISHED.csv.gz lines.csv.gz

Every published line is kept as it is. `order` says to which order a line belongs:
- a line of a sale belongs to its own invoice;
- a line of a cancellation (an invoice that starts with C) names no sale, so it is given to one: the latest sale to the
  same customer, not after the cancellation, that has the same stock code with enough of it left, first at the same unit
  price and else at a price that covers what was credited. Where no single sale has enough left, or the line is not
  about goods (postage, discount, manual entries, charges), `order` stays empty: nothing is guessed and nothing is split.
Lines are ordered by the time of their order, then order, then as published; deterministic.
"""

import csv
import gzip
import io
import sys
from collections import defaultdict
from decimal import Decimal

NOT_GOODS = {"POST", "D", "M", "C2", "DOT", "BANK CHARGES", "CRUK", "PADS"}


def match(lines):
    """Gives each line its order, and returns the orders' times and how many cancellation lines were left over."""
    sales = defaultdict(list)  # (customer, stock code) -> [time, order, unit price, quantity left], oldest first
    times = {}
    counts = defaultdict(int)
    for line in lines:
        invoice, quantity, price = line["invoice"], int(line["quantity"]), Decimal(line["unit_price"])
        key = (line["customer_id"], line["stock_code"])
        if not invoice.startswith("C"):
            line["order"] = invoice
            times.setdefault(invoice, line["invoice_ts"])
            if quantity > 0 and price > 0:
                sales[key].append([line["invoice_ts"], invoice, price, quantity])
            continue
        line["order"] = ""
        if line["stock_code"] in NOT_GOODS or price <= 0:
            counts["not about goods"] += 1
            continue
        enough = [sale for sale in reversed(sales[key]) if sale[3] >= -quantity]
        fitting = [sale for sale in enough if sale[2] == price] or [sale for sale in enough if sale[2] > price]
        if not fitting:
            counts["without a sale that covers them"] += 1
            continue
        fitting[0][3] += quantity
        line["order"] = fitting[0][1]
        counts["given to a sale"] += 1
    return times, counts


def main(source, target):
    with gzip.open(source, "rt", encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    times, counts = match(lines)
    lines.sort(key=lambda line: (times.get(line["order"], line["invoice_ts"]), line["order"] or line["invoice"]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["order", *[name for name in lines[0] if name != "order"]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    with open(target, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text.getvalue().encode("utf-8"))
    print(len(lines), "lines; cancellation lines:", dict(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
