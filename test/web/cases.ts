import { agent, delegatedCall, digest, type Entries, service, user } from '../chains/entries.ts';

const dana = user('dana');
const permit = { decision: { outcome: 'permit' as const }, outcome: { status: 'ok' as const, code: '200' } };
const span = { signal: 'span' as const, vocabulary: 'otel-semconv' };

/** Names that somebody hostile would send. */
export const HOSTILE = {
  markup: `<img src=x onerror="document.title='owned'">`,
  long: `service-${'x'.repeat(240)}`,
  rightToLeft: 'מערכת-תשלומים',
  override: 'books\u202Eskoob',
  operation: `POST /${'a'.repeat(500)}`,
};

/** One set of entries that makes chains of every kind the page has to show. */
export function cases(): Entries {
  const entries = delegatedCall();
  replayed(entries);
  exceeded(entries);
  withGaps(entries);
  ambiguous(entries);
  hostile(entries);
  return entries;
}

/** The token of the permitted call again, from another host and with nobody who made the call. */
function replayed(entries: Entries): void {
  entries.hop({
    service: 'books',
    at: [9, 1],
    digest: 'T41',
    scopes: ['invoice.pay'],
    subject: dana,
    actors: [service('gateway'), agent('planner'), service('payments')],
    transport: { protocol: 'http', peerAddress: '127.0.0.66:9' },
    operation: 'POST /entries',
    ...permit,
  });
}

/** The gateway exchanges the user's token and then asks for more than the new one holds. */
function exceeded(entries: Entries): void {
  const subject = user('erin');
  const scopes = ['invoice.read'];
  entries.hop({ service: 'gateway', at: [2, 1], digest: 'E1', scopes, subject, operation: 'POST /tasks', ...permit });
  entries.exchange({
    at: [2, 5, 1],
    tokenIn: digest('E1'),
    tokenOut: digest('E2'),
    scopesHeld: scopes,
    scopesGranted: scopes,
    subject,
  });
  entries.hop({
    service: 'gateway',
    side: 'caller',
    at: [2, 2, 1],
    digest: 'E2',
    scopes,
    verified: false,
    subject,
    operation: 'tools/call pay_invoice',
  });
  entries.hop({
    service: 'payments',
    at: [2, 3, 2],
    digest: 'E2',
    scopes,
    requiredScopes: ['invoice.pay'],
    subject,
    actors: [service('gateway')],
    operation: 'tools/call pay_invoice',
    resource: 'invoice:4711',
    decision: { outcome: 'deny', reason: 'insufficient_scope' },
    outcome: { status: 'error', code: '403' },
  });
}

/** A caller nobody answered, a callee nobody called, a step without its cause. */
function withGaps(entries: Entries): void {
  entries.hop({
    service: 'worker',
    side: 'caller',
    at: [3, 2, 1],
    source: span,
    operation: 'GET /ledger',
    transport: { protocol: 'http', peerService: 'mainframe' },
  });
  entries.hop({ service: 'archive', at: [3, 9, 8], source: span, operation: 'PUT /document' });
}

function ambiguous(entries: Entries): void {
  entries.hop({ service: 'queue-worker', at: [4, 1, 90], source: span, operation: 'process order 1' });
  entries.hop({ service: 'queue-worker', at: [4, 2, 91], source: span, operation: 'process order 2' });
  entries.hop({
    service: 'queue-worker',
    side: 'caller',
    at: [4, 5, 77],
    source: span,
    operation: 'POST /ship',
    transport: { protocol: 'http', peerService: 'shipping' },
  });
  entries.hop({ service: 'shipping', at: [4, 6, 5], source: span, operation: 'POST /ship' });
}

function hostile(entries: Entries): void {
  const mallory = user(HOSTILE.markup);
  const names = [HOSTILE.markup, HOSTILE.long, HOSTILE.rightToLeft, HOSTILE.override];
  names.forEach((name, i) => {
    const at = i * 2 + 1;
    entries.hop({
      service: name,
      at: i === 0 ? [5, at] : [5, at, at - 1],
      subject: mallory,
      operation: HOSTILE.operation,
      ...permit,
    });
    entries.hop({ service: name, side: 'caller', at: [5, at + 1, at], subject: mallory, operation: HOSTILE.operation });
  });
}
