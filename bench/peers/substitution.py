#!/usr/bin/env python3
"""Ranks templates by pymatgen's learned substitution probabilities, for `kronite csp evaluate --ranking`.

  pip install pymatgen
  bench/peers/substitution.py build/bench/bin/kronite lib.ktl formulas.txt --out ranking.csv
  kronite csp evaluate --queries lib.ktl --formulas formulas.txt --templates lib.ktl --ranking ranking.csv

The probabilities (Hautier et al., Inorg. Chem. 50 (2011) 656) are of ions. So the rule applies to
formulas that get oxidation states: those whose charges balance with one of the states that pymatgen
knows for each element (those in the ICSD, else the common ones; of several ways the one most frequent in
the ICSD, as oxi_state_guesses() has it), and whose ions are all in the table of probabilities. The others,
intermetallics first of all, are left out, as queries and as templates.

The score of a template is the logarithm of the probability that its ions are replaced by the query's,
SubstitutionProbability.cond_prob_list(query ions, template ions), by the likeliest replacement of ions
of equal amount. Each query meets the templates of its composition ratio, those of its own formula
excepted.
"""
import argparse
import collections
import csv
import io
import itertools
import math
import pathlib
import subprocess
import warnings

from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionProbability
from pymatgen.core import Composition, Species


def run(*command):
    return subprocess.run([str(c) for c in command], check=True, text=True, capture_output=True).stdout


class Replacement:
    """Ions of formulas, and how probable it is that some are replaced by others."""

    def __init__(self):
        self.probability = SubstitutionProbability()
        self.known = {}
        Composition("NaCl").oxi_state_guesses()  # reads the frequencies
        self.frequency = Composition.oxi_prob

    def ions(self, formula):
        """(amount, ion) of each element, the largest amount first; None where charges do not balance.

        oxi_state_guesses() itself also mixes states of one element, which takes seconds a formula."""
        composition = Composition(formula)
        if len(composition) < 2:
            return None
        divisor = math.gcd(*(round(amount) for amount in composition.values()))
        amounts = [round(amount) // divisor for amount in composition.values()]
        choices = [[(self.frequency.get(Species(e.symbol, state), 0), state)
                    for state in e.icsd_oxidation_states or e.common_oxidation_states]
                   for e in composition]
        balanced = [combination for combination in itertools.product(*choices)
                    if sum(n * state for n, (_, state) in zip(amounts, combination)) == 0]
        if not balanced:
            return None
        best = max(balanced, key=lambda states: sum(n * f for n, (f, _) in zip(amounts, states)))
        pairs = [(n, Species(e.symbol, state)) for n, e, (_, state) in zip(amounts, composition, best)]
        if any(ion not in self.probability.species for _, ion in pairs):
            return None
        return sorted(pairs, key=lambda pair: (-pair[0], str(pair[1])))

    def log(self, new, old):
        key = new, old
        if key not in self.known:
            self.known[key] = math.log(self.probability.cond_prob(new, old))
        return self.known[key]

    def score(self, query, template):
        """Of the likeliest replacement among ions of equal amount."""
        total = 0
        for _, places in itertools.groupby(range(len(query)), key=lambda i: query[i][0]):
            places = list(places)
            new = [query[i][1] for i in places]
            total += max(sum(self.log(n, template[i][1]) for n, i in zip(order, places))
                         for order in itertools.permutations(new))
        return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kronite", type=pathlib.Path, help="the program")
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("formulas", type=pathlib.Path, help="queries, one formula per line")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the ranking (.csv)")
    parser.add_argument("--applies", type=pathlib.Path, help="also write the formulas that got a ranking")
    parser.add_argument("--top", type=int, default=0, help="best templates to write; 0: all")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")

    replacement = Replacement()
    templates = collections.defaultdict(list)
    decorated = 0
    for row in csv.DictReader(io.StringIO(run(arguments.kronite, "templates", "list", arguments.library))):
        found = replacement.ions(row["formula"])
        if found:
            decorated += 1
            ratio = tuple(amount for amount, _ in found)
            templates[ratio].append((row["id"], row["formula"], found))

    queries = [line.split("#")[0].strip() for line in arguments.formulas.read_text().splitlines()]
    queries = [formula for formula in queries if formula]
    ranked = []
    with open(arguments.out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "template_id", "score"])
        for formula in queries:
            query = replacement.ions(formula)
            if not query:
                continue
            reduced = Composition(formula).reduced_formula
            candidates = templates[tuple(amount for amount, _ in query)]
            scored = [(replacement.score(query, template), identifier)
                      for identifier, other, template in candidates if other != reduced]
            if scored:
                ranked.append(formula)
            scored.sort(key=lambda pair: -pair[0])
            for score, identifier in scored[:arguments.top or None]:
                writer.writerow([formula, identifier, f"{score:.9g}"])
    if arguments.applies:
        arguments.applies.write_text("".join(formula + "\n" for formula in ranked), encoding="utf-8")
    print(f"{decorated} templates have oxidation states; {len(ranked)} of {len(queries)} queries "
          "have, and meet such a template")


if __name__ == "__main__":
    main()
