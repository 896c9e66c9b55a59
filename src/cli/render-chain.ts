import type { Finding } from '#chains';
import type { ChainAnswer } from '#query';
import { layOut, type Node } from './chain-tree.ts';
import { clean, type Paint, painter, wrap } from './paint.ts';
import { detailLines, headLine, nameParty, titleOf, VERDICT_MARK, VERDICT_STYLE, WIDTH } from './render-hop.ts';

/** Levels drawn with their own indent; deeper ones share it and tell their depth. */
const DEEPEST = 16;

/**
 * A chain as text for a terminal of 100 columns: who, on whose behalf, hop by hop with verdict and grade; gaps and
 * ambiguity as such; findings, completeness and the entries it rests on. Text from outside cannot move the cursor.
 */
export function renderChain(answer: ChainAnswer, { color = false }: { readonly color?: boolean } = {}): string {
  const paint = painter(color);
  return [
    ...header(answer, paint),
    '',
    ...tree(answer, paint),
    ...findings(answer, paint),
    '',
    ...footer(answer, paint),
  ].join('\n');
}

function header({ chain }: ChainAnswer, paint: Paint): string[] {
  const mark = `${VERDICT_MARK[chain.verdict]} ${chain.verdict.toUpperCase()}`;
  const who = chain.subject === null ? 'nobody named' : nameParty(chain.subject);
  const acting = chain.actors.length === 0 ? 'nobody in between' : chain.actors.map(nameParty).join(' → ');
  return [
    `${paint('bold', paint(VERDICT_STYLE[chain.verdict], mark))}  ${paint('gray', chain.id)}`,
    ...wrap(clean(chain.reason, 600), WIDTH),
    '',
    ...field('on behalf of', who, paint),
    ...field('acting', acting, paint),
    ...field('when', `${moment(chain.from)}, ${lasting(chain.from, chain.to)}`, paint),
    ...field('trace', chain.traceIds.slice(0, 4).join(' ') + more(chain.traceIds.length - 4) || 'none', paint),
  ];
}

const field = (name: string, value: string, paint: Paint): string[] =>
  wrap(value, WIDTH - 14).map((line, i) => `${paint('gray', (i === 0 ? name : '').padEnd(14))}${line}`);

const more = (count: number): string => (count > 0 ? ` and ${count} more` : '');

/** Unix nanoseconds as UTC with milliseconds; a time no calendar reaches is told as it is. */
function moment(nanoseconds: string): string {
  const date = new Date(Number(BigInt(nanoseconds) / 1_000_000n));
  return Number.isNaN(date.getTime()) ? `${nanoseconds} ns` : date.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

function lasting(from: string, to: string): string {
  const milliseconds = Number((BigInt(to) - BigInt(from)) / 1000n) / 1000;
  return milliseconds < 1000 ? `${milliseconds} ms` : `${Math.round(milliseconds) / 1000} s`;
}

function tree({ chain }: ChainAnswer, paint: Paint): string[] {
  const numbers = new Map(chain.hops.map((hop, i) => [hop.id, i + 1]));
  const numberOf = (id: string) => numbers.get(id) ?? 0;
  const found = Map.groupBy(chain.findings, (finding) => finding.hop ?? '');
  const titles = new Map(chain.hops.map((hop) => [hop.id, titleOf(hop)]));
  return layOut(chain).flatMap((node, i) => {
    const { first, rest } = rails(node, paint);
    const indent = Math.min(node.depth, DEEPEST) * 3;
    const space = node.depth === 0 && i > 0 ? [''] : [];
    if (node.kind === 'gap') {
      const text = `gap, ${node.gap.kind.replaceAll('_', ' ')}: ${clean(node.gap.says)}`;
      const lines = wrap(`┄ ${text}`, WIDTH - indent).map((line) => paint('yellow', line));
      return [...space, ...lines.map((line, at) => `${at === 0 ? first : rest}${line}`)];
    }
    if (node.kind === 'ambiguous') {
      const candidates = node.links.map((link) => `  ${numberOf(link.from)}  ${titles.get(link.from) ?? ''}`);
      const lines = [
        `┄ ambiguous: any one of these ${candidates.length} could have led here; none is chosen`,
        ...candidates,
      ];
      return [
        ...space,
        ...lines.map((line, at) => `${at === 0 ? first : rest}${paint('yellow', clean(line, WIDTH - indent))}`),
      ];
    }
    const deep = node.depth > DEEPEST ? paint('gray', `(depth ${node.depth}) `) : '';
    const width = node.depth > DEEPEST ? indent + `(depth ${node.depth}) `.length : indent;
    const details = detailLines(
      { hop: node.hop, led: node.led, found: found.get(node.hop.id) ?? [], numberOf },
      WIDTH - indent - 3,
      paint,
    );
    return [
      ...space,
      `${first}${deep}${headLine(node.hop, numberOf(node.hop.id), width, paint)}`,
      ...details.map((line) => `${rest}${line}`),
    ];
  });
}

/** The lines that join a node to what led to it: before its first line, and before the others. */
function rails(node: Node, paint: Paint): { first: string; rest: string } {
  const shown = node.last.slice(0, DEEPEST);
  const above = shown.slice(0, -1).map((last) => (last ? '   ' : '│  '));
  const isLast = shown.at(-1);
  const own = isLast === undefined ? '' : isLast ? '└─ ' : '├─ ';
  const past = isLast === undefined ? '' : isLast ? '   ' : '│  ';
  const below = node.kind === 'hop' ? (node.opens ? '│  ' : '   ') : '';
  return { first: paint('gray', above.join('') + own), rest: paint('gray', above.join('') + past + below) };
}

const SEVERITY_STYLE = { critical: 'red', warning: 'yellow', notice: 'gray' } as const;

function findings({ chain }: ChainAnswer, paint: Paint): string[] {
  if (chain.findings.length === 0) return [];
  const numbers = new Map(chain.hops.map((hop, i) => [hop.id, i + 1]));
  const at = ({ hop }: Finding) => (numbers.has(hop ?? '') ? `hop ${numbers.get(hop ?? '')}` : 'an exchange');
  return [
    '',
    paint('bold', 'findings'),
    ...chain.findings.flatMap((finding) => [
      `  ${paint(SEVERITY_STYLE[finding.severity], finding.severity.padEnd(9))} ${paint('bold', finding.title)} ${paint('gray', `(${finding.rule}, at ${at(finding)})`)}`,
      ...wrap(clean(finding.says, 600), WIDTH - 12).map((line) => `            ${line}`),
      paint('gray', `            ${clean(`${finding.owasp.join(', ')}; entries ${entriesOf(finding)}`, WIDTH - 12)}`),
    ]),
  ];
}

const entriesOf = ({ facts }: Finding): string => ranges([...new Set(facts.flatMap(({ entries }) => entries))]);

function footer({ chain, log }: ChainAnswer, paint: Paint): string[] {
  const { complete, says } = chain.completeness;
  const newest = chain.entries.map(BigInt).reduce((most, index) => (index > most ? index : most), -1n);
  const covered = newest < BigInt(log.published);
  const proof = `${count(chain.entries.length)} (${ranges(chain.entries)}) of ${clean(log.origin, 60)}, tree size ${log.treeSize}; ${
    covered
      ? `all under the signed checkpoint of size ${log.published}`
      : `the newest not yet under a signed checkpoint (last: ${log.published})`
  }`;
  return [
    ...field('completeness', `${complete ? '✔' : '┄'} ${clean(says, 600)}`, paint),
    ...field('proof', proof, paint),
  ];
}

const count = (entries: number): string => (entries === 1 ? '1 entry' : `${entries} entries`);

/** Ascending indexes as ranges: 3, 5-9. At most eight. */
function ranges(indexes: readonly string[]): string {
  const found: { first: bigint; last: bigint }[] = [];
  for (const index of indexes.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1))) {
    const open = found.at(-1);
    if (open !== undefined && index === open.last + 1n) open.last = index;
    else found.push({ first: index, last: index });
  }
  const shown = found.slice(0, 8).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  return shown.join(', ') + more(found.length - 8);
}
