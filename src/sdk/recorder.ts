import { randomUUID } from 'node:crypto';
import type { Anomaly } from './anomalies.ts';
import { type Backlog, MemoryBacklog } from './backlog.ts';
import { Delivery, type DeliveryReport } from './delivery.ts';
import type { ExchangeAccount } from './exchange.ts';
import { harmless } from './harmless.ts';
import type { HopAccount, OpenHop, Outcome } from './hop.ts';
import { abandonedEnding, endingRecord, recordOf } from './observation-record.ts';
import { encodeResource } from './otlp-record.ts';
import { otlpLogExport } from './otlp-transport.ts';
import { openSenderFolder, takeAbandonedFolders } from './sender-folder.ts';
import type { Settings, SpoolOptions } from './settings.ts';
import { Spool } from './spool.ts';
import { unlockFolder } from './spool-lock.ts';

/** Ends a held observation. */
export type Complete = (ending: { endMs: number; outcome: Outcome }) => void;

interface Sender {
  readonly delivery: Delivery;
  readonly folder?: string;
}

/**
 * Turns accounts into observations: one OTLP log record each, with its own id and sequence number, whatever the trace
 * sampler decided. Never throws once it is made.
 */
export class Recorder {
  /** True when there is a spool: what it took survives the process. */
  readonly spools: boolean;
  /** True when an answer waits until its observation is forced to the disk. */
  readonly forces: boolean;
  readonly #backlog: Backlog;
  readonly #senders: readonly [Sender, ...Sender[]];
  readonly #refuses: boolean;
  #sequence = 0;
  #lostReported = 0;

  /** Throws what the file system says of the spool's folder. */
  constructor(settings: Settings) {
    const send = otlpLogExport({ url: settings.logsUrl, headers: settings.headers, timeoutMs: 10_000 });
    const sender = (backlog: Backlog, folder?: string): Sender => ({
      delivery: new Delivery({ send, backlog, delayMs: 200, outlives: folder !== undefined }),
      ...(folder !== undefined && { folder }),
    });
    const { spool } = settings;
    this.spools = spool !== undefined;
    this.forces = spool?.fsync === 'each';
    this.#refuses = spool?.whenFull === 'refuse';
    if (spool === undefined) {
      this.#backlog = new MemoryBacklog(resourceOf(settings, settings.instance ?? randomUUID()), settings.queueSize);
      this.#senders = [sender(this.#backlog)];
      return;
    }
    const { own, mine, left } = openSpool(spool, settings, (count) =>
      this.#own.lose(count, 'the spool cannot be written'),
    );
    this.#backlog = mine;
    this.#sequence = mine.lastSequence;
    this.#senders = [sender(mine, own.folder), ...left.map(({ folder, spool: each }) => sender(each, folder))];
  }

  /** True when there is no room and the host chose to refuse requests then. */
  get refuses(): boolean {
    return this.#refuses && this.#backlog.full;
  }

  record(account: HopAccount | ExchangeAccount): void {
    harmless('recording an observation', () => this.#keep(account, 'add'));
  }

  /** Records a hop whose ending is not known yet; after the process it is delivered without. */
  hold(account: OpenHop): Complete {
    const held = harmless('recording an observation', () => this.#keep(account, 'hold'));
    return ({ endMs, outcome }) =>
      void harmless('recording an ending', () => {
        if (held === undefined) return;
        this.#backlog.complete(held, endingRecord(endMs, outcome));
        this.#own.notify();
      });
  }

  /** What an answer must wait for, if anything: that all recorded so far is as safe as the host wants it. Never rejects. */
  durable(): Promise<void> | undefined {
    return this.#backlog.durable();
  }

  /** As `durable`, at once, up to what survives the process. */
  write(): void {
    this.#backlog.write();
  }

  /** Resolves true when all recorded so far is durable in the ledger, false after `timeoutMs` or a refusal. */
  confirm(timeoutMs: number): Promise<boolean> {
    return this.#own.confirm(timeoutMs);
  }

  async flush(timeoutMs: number): Promise<DeliveryReport> {
    return sum(await Promise.all(this.#senders.map(({ delivery }) => delivery.flush(timeoutMs))));
  }

  async close(timeoutMs: number): Promise<DeliveryReport> {
    const reports = await Promise.all(this.#senders.map(({ delivery }) => delivery.close(timeoutMs)));
    for (const { folder } of this.#senders) if (folder !== undefined) harmless('unlocking', () => unlockFolder(folder));
    return sum(reports);
  }

  get #own(): Delivery {
    return this.#senders[0].delivery;
  }

  /** The number is taken before there is known to be room, so that an observation lost here leaves a gap that shows. */
  #keep(account: OpenHop | ExchangeAccount, how: 'add' | 'hold'): number | undefined {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const lost = this.#own.lost;
    if (this.#own.closed) return this.#lose(sequence, 'the sender was stopped');
    const isTold = lost === this.#lostReported;
    const told = isTold ? account : { ...account, anomalies: [...account.anomalies.slice(0, 31), lossOf(lost)] };
    if (!this.#backlog[how]({ sequence, record: recordOf(told, sequence) })) {
      return this.#lose(sequence, `${this.#backlog.pending} observations are waiting`);
    }
    this.#lostReported = lost;
    this.#own.notify();
    return sequence;
  }

  #lose(sequence: number, why: string): undefined {
    this.#own.lose(1, why);
    this.#backlog.noteLost(sequence);
  }
}

/** This sender's spool, and those that dead ones left. Throws TypeError naming the option. */
function openSpool(spool: Required<SpoolOptions>, settings: Settings, onLost: (count: number) => void) {
  try {
    const own = openSenderFolder(spool.folder, settings.service, settings.instance);
    const resource = resourceOf(settings, own.instance);
    const open = (folder: string) =>
      new Spool({ ...spool, abandonedEnding, onLost, folder, resource, run: randomUUID() });
    const mine = open(own.folder);
    const left = takeAbandonedFolders(spool.folder, settings.service).map((folder) => ({
      folder,
      spool: open(folder),
    }));
    return { own, mine, left };
  } catch (cause) {
    const says = cause instanceof Error ? cause.message : 'unknown failure';
    throw new TypeError(`startBehalf: spool.folder cannot be used: ${says}`, { cause });
  }
}

/** The counter of what was lost, told by the next observation that is not. */
const lossOf = (lost: number): Anomaly => ({
  code: 'observations_lost',
  detail: `${lost} of this sender since its start`,
});

const resourceOf = ({ service, version, environment }: Settings, instance: string): Uint8Array =>
  encodeResource({
    'service.name': service,
    'service.instance.id': instance,
    ...(version !== undefined && { 'service.version': version }),
    ...(environment !== undefined && { 'deployment.environment.name': environment }),
  });

function sum(reports: readonly DeliveryReport[]): DeliveryReport {
  const total = { delivered: 0, lost: 0, pending: 0 };
  for (const { delivered, lost, pending } of reports) {
    total.delivered += delivered;
    total.lost += lost;
    total.pending += pending;
  }
  return total;
}
