import { parseArgs } from 'node:util';
import { GRADES } from '#chains';
import { type Accuracy, accuracyOf } from '../corpus/run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    chains: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    faults: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `npm run bench:accuracy -- [--seed S] [--chains N] [--faults N] [--json]
  Makes chains of every kind of scenario with known truth, sends them through the collector as OTLP, stitches them, and prints
  for each grade how many of its claims are false and what share of the truth it finds, then the same for each kind.
  --seed S    another corpus for every number (default 1)      --chains N  at least so many (default 10000)
  --faults N  list so many of the faults (default 20)          --json      one object with every count
`;

const share = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`);

type Measured = Accuracy['total'];

const gradesOf = (measured: Measured): string =>
  GRADES.map((grade) => {
    const [pairs, links] = [measured.pairs[grade], measured.links[grade]];
    const [claims, wrong] = [pairs.claims + links.claims, pairs.wrong + links.wrong];
    return `  ${grade.padEnd(13)} ${String(claims).padStart(7)} claims  ${String(wrong).padStart(6)} false  precision ${share(claims - wrong, claims).padEnd(9)}  recall ${share(measured.foundAt[grade], measured.found.pairs + measured.found.links)}`;
  }).join('\n');

function describe({ seed, chains, total, kinds, faults }: Accuracy): string {
  const { provable, found, ambiguous } = total;
  const lines = [
    `seed ${seed}, ${chains} chains, ${total.hops} hops`,
    gradesOf(total),
    `recall where evidence for proven exists: crossings ${share(provable.pairsProven, provable.pairs)} of ${provable.pairs}, links ${share(provable.linksProven, provable.links)} of ${provable.links}`,
    `found at any grade: crossings ${share(found.pairsFound, found.pairs)} of ${found.pairs}, links ${share(found.linksFound, found.links)} of ${found.links}`,
    `ambiguous: ${ambiguous.hops} hops, truth among the candidates ${share(ambiguous.truthAmong, ambiguous.truthKnown)} of ${ambiguous.truthKnown} where the reports could name it; the very hop before ${share(ambiguous.nearestAmong, ambiguous.truthKnown)}`,
    '',
    ...Object.entries(kinds).map(([kind, each]) => {
      const wrong = GRADES.map((grade) => each.pairs[grade].wrong + each.links[grade].wrong).join('/');
      return `${kind.padEnd(18)} false ${wrong.padEnd(14)} crossings found ${share(each.found.pairsFound, each.found.pairs).padEnd(9)} links found ${share(each.found.linksFound, each.found.links).padEnd(9)} proven ${share(each.provable.linksProven, each.provable.links)}`;
    }),
    '  (false at proven/corroborated/asserted/inferred/ambiguous)',
    ...faults.slice(0, Number(values.faults)),
  ];
  return `${lines.join('\n')}\n`;
}

if (values.help) process.stdout.write(HELP);
else {
  const accuracy = await accuracyOf(Number(values.seed), Number(values.chains));
  process.stdout.write(values.json ? `${JSON.stringify(accuracy)}\n` : describe(accuracy));
}
