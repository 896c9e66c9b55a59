import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Chain, stitch } from '#chains';
import { type EntryParty, encodeEntry } from '#observation';
import type { ChainAnswer, ChainSummary, ChainsAnswer, LogAnswer, PartyView } from '#query';
import type { Entries } from '../chains/entries.ts';
import { type LedgerOf, ledgerOf } from './ledger-of.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};
const PAGE_SIZE = 4;

export interface PageServer {
  readonly address: string;
  readonly chains: readonly Chain<PartyView>[];
  readonly ledger: LedgerOf;
  /** Changes what the server answers from here on. */
  readonly answers: { damage: boolean; down: boolean; empty: boolean };
  close(): Promise<void>;
}

/** Serves the built page under the headers it gets in earnest, and answers with chains stitched from these entries. */
export async function servePage(dist: string, entries: Entries): Promise<PageServer> {
  const bytes = entries.all.map(({ entry }) => encodeEntry(entry));
  const ledger = ledgerOf(bytes, 'ledger.example/page-test');
  const chains = stitch(entries.all)
    .map(withViews)
    .toSorted((a, b) => (BigInt(a.from) < BigInt(b.from) ? 1 : -1));
  const log = { origin: ledger.origin, treeSize: String(bytes.length), published: String(bytes.length) };
  const answers = { damage: false, down: false, empty: false };

  const api = (url: URL): unknown => {
    const [what = '', id, proof] = url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    if (what === 'log') {
      const size = String(bytes.length);
      const { origin, verifierKey } = ledger;
      return { origin, verifierKey, size, published: size, projected: size } satisfies LogAnswer;
    }
    if (what === 'chains' && id === undefined) return listAnswer(answers.empty ? [] : chains, url.searchParams, log);
    if (what === 'chains') {
      const chain = chains.find((each) => each.id === id);
      return chain === undefined ? undefined : ({ chain, log } satisfies ChainAnswer);
    }
    const entry = what === 'entries' ? bytes[Number(id)] : undefined;
    if (entry === undefined) return undefined;
    if (proof === 'proof') return ledger.prove(Number(id));
    return answers.damage ? Uint8Array.from(entry, (byte, i) => (i === 9 ? byte ^ 1 : byte)) : entry;
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://page');
    response.setHeader('content-security-policy', "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    if (!url.pathname.startsWith('/api/')) return sendFile(response, dist, url.pathname);
    if (answers.down) return sendProblem(response, 503, 'the database does not answer');
    const answer = api(url);
    if (answer === undefined) return sendProblem(response, 404, 'there is nothing of that id');
    if (answer instanceof Uint8Array) return void response.setHeader('content-type', 'application/json').end(answer);
    if (typeof answer === 'string') return void response.setHeader('content-type', 'text/plain').end(answer);
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { address, chains, ledger, answers, close };
}

async function sendFile(response: ServerResponse, dist: string, path: string): Promise<void> {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const content = await readFile(join(dist, name)).catch(() => undefined);
  if (content === undefined) return void response.writeHead(404).end();
  response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream').end(content);
}

function sendProblem(response: ServerResponse, status: number, detail: string): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ status, detail }));
}

function listAnswer(
  chains: readonly Chain<PartyView>[],
  words: URLSearchParams,
  log: ChainsAnswer['log'],
): ChainsAnswer {
  const [verdict, named, cursor] = [words.get('verdict'), words.get('service'), Number(words.get('cursor') ?? 0)];
  const fitting = chains.filter(
    (chain) => (verdict === null || chain.verdict === verdict) && (named === null || chain.services.includes(named)),
  );
  const next = cursor + PAGE_SIZE < fitting.length ? String(cursor + PAGE_SIZE) : null;
  return { chains: fitting.slice(cursor, cursor + PAGE_SIZE).map(summaryOf), next, log };
}

const summaryOf = (chain: Chain<PartyView>): ChainSummary => ({
  id: chain.id,
  from: chain.from,
  to: chain.to,
  subject: chain.subject,
  actors: chain.actors,
  services: chain.services,
  hops: chain.hops.length,
  verdict: chain.verdict,
  reason: chain.reason,
  findings: chain.findings.map((finding) => finding.rule),
  completeness: chain.completeness,
  traceIds: chain.traceIds,
});

/** What opening sealed persons gives; the refs of these entries hold their names in hex. */
function viewOf(party: EntryParty): PartyView {
  const { type, basis, issuer = null } = party;
  if (!('ref' in party)) return { key: `${type}|${issuer}|${party.id}`, type, basis, issuer, id: party.id };
  const id = Buffer.from(party.ref.slice(2).replace(/(00)+$/, ''), 'hex').toString();
  return { key: party.ref, type, basis, issuer, id };
}

const maybe = (party: EntryParty | null): PartyView | null => (party === null ? null : viewOf(party));

const withViews = (chain: Chain): Chain<PartyView> => ({
  ...chain,
  subject: maybe(chain.subject),
  actors: chain.actors.map(viewOf),
  hops: chain.hops.map((hop) => ({
    ...hop,
    subject: maybe(hop.subject),
    initiator: maybe(hop.initiator),
    peer: maybe(hop.peer),
    actors: hop.actors.map(viewOf),
  })),
  exchanges: chain.exchanges.map((exchange) => ({
    ...exchange,
    requester: maybe(exchange.requester),
    subject: maybe(exchange.subject),
    actors: exchange.actors.map(viewOf),
  })),
});
