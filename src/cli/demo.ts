import { once } from 'node:events';
import { runDemo, type Scene } from '#demo';
import type { ChainAnswer } from '#query';
import { findChain } from './chain.ts';
import type { Command, Terminal } from './command.ts';
import { renderChain } from './render-chain.ts';
import { type Server, startServer } from './server.ts';
import { type Settings, settingsFrom } from './settings.ts';
import { besideEachOther } from './text-columns.ts';

/** A scene as it was played and the chain the server made of it. */
interface Shown {
  readonly played: Scene;
  readonly answer: ChainAnswer;
}

/** `behalf demo`: a server, real services, three scenes; the chains that come out of them. */
export const demo: Command = {
  name: 'demo',
  summary: 'start everything, play a real delegation through real services, print the chains that come out',
  options: { keep: { says: 'leave the server running afterwards, until Ctrl-C' } },
  async run(given, terminal) {
    const keep = given.options.keep === true;
    const tell = (says: string) => terminal.err(`· ${says}\n`);
    const server = await startServer(portsFor(keep, terminal), tell);
    try {
      const { otlp } = server;
      if (otlp === undefined) throw new Error('demo: the server does not collect');
      tell(`the server takes OTLP on ${otlp.http} and answers on ${server.apiAddress}`);
      const { scenes } = await runDemo({ collectorUrl: otlp.http, onProgress: tell });
      await server.settle();
      const shown = await Promise.all(scenes.map((played) => showable(server, played)));
      for (const each of shown) terminal.out(scene(each, terminal));
      terminal.out(sideBySide(shown));
      terminal.out(whatNext(shown, keep ? server : undefined));
      if (keep) await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
      return 0;
    } finally {
      await server.close();
    }
  },
};

/** A demo that ends takes any free ports, so that it runs beside a server; one that stays takes the usual ones. */
function portsFor(keep: boolean, terminal: Terminal): Settings {
  const settings = settingsFrom(terminal.environment);
  return keep ? settings : { ...settings, apiPort: 0, otlpHttpPort: 0, otlpGrpcPort: 0 };
}

async function showable(server: Server, played: Scene): Promise<Shown> {
  const answer = await findChain(new URL(server.apiAddress), played.traceId);
  if (answer === undefined)
    throw new Error(`scene "${played.name}": no chain came out of trace ${played.traceId}; run behalf fsck`);
  return { played, answer };
}

const scene = ({ played, answer }: Shown, terminal: Terminal): string =>
  `\n${'━'.repeat(100)}\n${played.name}: ${played.tells}\n\n${renderChain(answer, { color: terminal.color })}\n`;

/** The verdicts beside each other, and why each is what it is. */
function sideBySide(shown: readonly Shown[]): string {
  const columns = shown.map(({ played, answer }) => [
    played.name,
    answer.chain.verdict.toUpperCase(),
    answer.chain.reason,
    ...new Set(
      answer.chain.findings.filter(({ verdict }) => verdict !== null).map(({ rule, title }) => `${title} (${rule})`),
    ),
  ]);
  return `\n${'━'.repeat(100)}\nSide by side\n\n${besideEachOther(columns, { width: 100, gap: 3 })}\n`;
}

function whatNext(shown: readonly Shown[], kept: Server | undefined): string {
  const id = shown.at(-1)?.answer.chain.id ?? '';
  if (kept === undefined) {
    return `\nWhere to look next\n  npm run serve                          the same chains, at http://127.0.0.1:7400/\n  npm run behalf -- chain ${id}   one of them, while it runs\n  npm run behalf -- verify               the whole log recomputed over HTTP\n`;
  }
  return `\nWhere to look next\n  ${kept.apiAddress}/#/chains/${id}\n  npm run behalf -- verify --url ${kept.apiAddress}\n  Ctrl-C stops the server\n`;
}
