import { readFile } from 'node:fs/promises';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { DIMENSIONS } from '#chains';
import type { ThresholdChanges } from '#projection';
import { UsageError } from './command.ts';

const Names = Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { maxItems: 1_000 });
const Count = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }));

/** What may stand in the file: any of the thresholds, and nothing else. */
const ThresholdsFile = Type.Object(
  {
    clockSkewSeconds: Count(0, 86_400),
    longestLifetimeHours: Count(1, 1_000_000),
    mostActors: Count(1, 64),
    mostCrossings: Count(1, 100_000),
    mostReturns: Count(0, 1_000),
    dormantDays: Count(1, 36_500),
    unusedDays: Count(1, 36_500),
    enoughDays: Count(1, 30),
    mostHosts: Count(1, 256),
    governed: Type.Optional(Type.Array(Type.Enum([...DIMENSIONS]), { maxItems: DIMENSIONS.length })),
    audiences: Type.Optional(Type.Record(Type.String({ minLength: 1, maxLength: 255 }), Names)),
    issuers: Type.Optional(Names),
    privilegedScopes: Type.Optional(Names),
    approvalOperations: Type.Optional(Names),
  },
  { additionalProperties: false },
);
const checker = Compile(ThresholdsFile);

/** Reads a JSON file of thresholds (BEHALF_THRESHOLDS). Throws UsageError with the file's name and the field. */
export async function readThresholds(path: string): Promise<ThresholdChanges> {
  const value = parseJson(await textOf(path), path);
  if (checker.Check(value)) return compact(value);
  throw new UsageError(`${path}: ${complaintOf(value)}; the thresholds are described in src/chains/findings.md`);
}

function complaintOf(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'expected a JSON object';
  const unknown = Object.keys(value).find((name) => !Object.hasOwn(ThresholdsFile.properties, name));
  if (unknown !== undefined) {
    const known = Object.keys(ThresholdsFile.properties).join(', ');
    return `${JSON.stringify(unknown.slice(0, 40))} is no threshold; expected some of ${known}`;
  }
  const [first] = checker.Errors(value).filter(({ instancePath }) => instancePath !== '');
  return first === undefined ? 'does not fit' : `${first.instancePath.slice(1)} ${first.message}`;
}

/** Without what was left out. */
const compact = (file: Static<typeof ThresholdsFile>): ThresholdChanges =>
  Object.fromEntries(Object.entries(file).filter(([, value]) => value !== undefined));

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`BEHALF_THRESHOLDS: cannot read ${path}; expected a JSON file`, { cause });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path}: expected JSON`, { cause });
  }
}
