#!/usr/bin/env python3
"""What became faster and what slower between two runs of scripts/bench.

  bench/compare.py OLD.json NEW.json [--worse 1.1]

One line per measurement that both have: seconds, how many times faster the new one is, and its share
of what the machine allows. With --worse R the exit status is 1 when one takes more than R times as
long. Files of other processors, devices or settings are compared too, with a notice.
"""
import argparse
import json
import sys


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        context, runs = content["context"], content["benchmarks"]
        return context, {run["name"].removesuffix("/real_time"): run for run in runs}
    except OSError as error:
        raise SystemExit(f"compare.py: {path}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise SystemExit(f"compare.py: {path} is not a result of scripts/bench: {error!r}") from None


def is_measured(run):
    return not run.get("error_occurred") and "seconds" in run


def table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--worse", type=float, metavar="R",
                        help="fail when a measurement takes more than R times as long")
    arguments = parser.parse_args()
    (old_context, old), (new_context, new) = read(arguments.old), read(arguments.new)

    for key in sorted(old_context.keys() | new_context.keys()):
        if key in ("processor", "commit") or key.startswith(("cpu_", "cuda_")):
            before, after = (context.get(key, "none") for context in (old_context, new_context))
            print(f"{key}: {before}" if before == after else f"{key}: {before} -> {after}")
    common = [name for name in old if name in new and is_measured(old[name]) and is_measured(new[name])]
    if not common:
        raise SystemExit("compare.py: the two have no measurement in common")

    rows, slower = [("", "old s", "new s", "faster", "share")], []
    for name in common:
        before, after = old[name]["seconds"], new[name]["seconds"]
        rows.append((name, f"{before:.4g}", f"{after:.4g}", f"{before / after:.2f}", f"{new[name].get('share', 0):.2f}"))
        if arguments.worse and after > arguments.worse * before:
            slower.append(name)
    table(rows)
    for name in sorted(old.keys() ^ new.keys()):
        print(f"only in {'the old' if name in old else 'the new'} file: {name}")
    for name in old.keys() & new.keys() - set(common):
        why = new[name].get("error_message") or old[name].get("error_message") or "not measured"
        print(f"not compared: {name}: {why}")
    if slower:
        print(f"slower by more than {arguments.worse:g}: {', '.join(slower)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
