import * as semconv from '@behalf/sdk/semconv';
import { newObservationId } from '#observation';
import { ApiError } from './api-client.ts';
import {
  type Arguments,
  type Command,
  JSON_OPTION,
  onlyWord,
  type Terminal,
  textOption,
  UsageError,
} from './command.ts';

/** `behalf revoke <what>`: puts into the log that a party was offboarded or a token revoked; or, with --restore, that it holds again. */
export const revoke: Command = {
  name: 'revoke',
  words: '<party type|issuer|id | token SHA-256>',
  summary: 'record that a party was offboarded or a token revoked: what it does afterwards is suspicious',
  options: {
    restore: { says: 'it holds again: what it does afterwards is in order' },
    at: { value: 'time', says: 'since when, RFC 3339 such as 2026-11-01T00:00:00Z (default: now)' },
    reason: { value: 'text', says: 'why, in a few words; no personal data' },
    collector: {
      value: 'address',
      says: 'OTLP/HTTP of the server (default http://127.0.0.1:4318, or BEHALF_OTLP_URL)',
    },
    ...JSON_OPTION,
  },
  async run(given, terminal) {
    const target = targetOf(onlyWord(revoke, given));
    const effect = given.options.restore === true ? 'restored' : 'revoked';
    const id = newObservationId(Date.now());
    const record = recordOf({ id, effect, target, at: momentOf(given), reason: textOption(given, 'reason') });
    await send(collectorOf(given, terminal), record);
    const says = `recorded as observation ${id}: ${effect} from then on\n`;
    terminal.out(given.options.json === true ? `${JSON.stringify({ id, effect })}\n` : says);
    return 0;
  },
};

type Value = { readonly stringValue: string } | { readonly kvlistValue: { readonly values: readonly KeyValue[] } };
interface KeyValue {
  readonly key: string;
  readonly value: Value;
}
const text = (key: string, value: string): KeyValue => ({ key, value: { stringValue: value } });

/** A token by its digest, never by itself; a party by its exact key. */
function targetOf(word: string): KeyValue {
  if (/^[0-9a-f]{64}$/.test(word)) return text(semconv.AUTHORITY_DIGEST, word);
  const [type = '', issuer = '', ...id] = word.split('|');
  if (!TYPES.includes(type) || id.length === 0 || id.join('|') === '') {
    throw new UsageError(
      `expected a token's SHA-256 as 64 hex digits, or a party as type|issuer|id with a type of ${TYPES.join(', ')}; behalf parties prints keys. Never the token itself`,
    );
  }
  const plain = issuer.replace(/%7C|%25/g, (found) => (found === '%7C' ? '|' : '%'));
  const values = [
    text('type', type),
    text('id', id.join('|')),
    text('basis', 'attribute'),
    ...(plain === '' ? [] : [text('issuer', plain)]),
  ];
  return { key: semconv.SUBJECT, value: { kvlistValue: { values } } };
}

const TYPES: readonly string[] = ['user', 'service', 'ai_agent', 'device', 'unknown'];

function momentOf(given: Arguments): number {
  const at = textOption(given, 'at');
  const isMoment = at === undefined || /^\d{4}-\d{2}-\d{2}T/.test(at);
  const moment = at === undefined ? Date.now() : isMoment ? Date.parse(at) : Number.NaN;
  if (Number.isNaN(moment) || moment < 0) {
    throw new UsageError(`--at: expected RFC 3339 such as 2026-11-01T00:00:00Z, got ${at?.slice(0, 40)}`);
  }
  return moment;
}

interface Statement {
  readonly id: string;
  readonly effect: string;
  readonly target: KeyValue;
  readonly at: number; // unix milliseconds
  readonly reason: string | undefined;
}

/** One OTLP log record (opentelemetry-proto v1, JSON). */
const recordOf = ({ id, effect, target, at, reason }: Statement) => ({
  resourceLogs: [
    {
      resource: { attributes: [text('service.name', 'behalf-cli')] },
      scopeLogs: [
        {
          scope: { name: 'behalf revoke' },
          logRecords: [
            {
              timeUnixNano: String(BigInt(at) * 1_000_000n),
              eventName: semconv.EVENT_REVOCATION,
              attributes: [
                text(semconv.OBSERVATION_ID, id),
                text(semconv.REVOCATION_EFFECT, effect),
                target,
                ...(reason === undefined ? [] : [text(semconv.DECISION_REASON, reason)]),
              ],
            },
          ],
        },
      ],
    },
  ],
});

function collectorOf(given: Arguments, terminal: Terminal): URL {
  const address = textOption(given, 'collector') ?? (terminal.environment.BEHALF_OTLP_URL || 'http://127.0.0.1:4318');
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--collector: expected http://host:port, got ${address}`);
  return new URL('/v1/logs', url);
}

/** Throws when it is not durable in the log: an answer of success means it is. */
async function send(url: URL, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch((cause: unknown) => {
    throw new Error(`no collector answers at ${url.origin}; start one with \`behalf serve\`, or name another`, {
      cause,
    });
  });
  const answer = (await response.json().catch(() => ({}))) as { partialSuccess?: { errorMessage?: string } };
  if (!response.ok)
    throw new ApiError(response.status, `the collector answered ${response.status}: nothing is recorded`);
  const refused = answer.partialSuccess?.errorMessage;
  if (refused !== undefined && refused !== '') throw new ApiError(400, `the collector refused it: ${refused}`);
}
