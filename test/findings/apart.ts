import { createHash } from 'node:crypto';
import type { Observation } from '#observation';

/**
 * The same with ids, traces, tokens, parties, services and issuer of their own, so that scenarios in one log do not meet. `name`
 * tells the scenario.
 */
export function apart(observations: readonly Observation[], name: string): readonly Observation[] {
  const hash = (value: string) => createHash('sha256').update(`${name} ${value}`).digest('hex');
  const text = JSON.stringify(observations, (key, value) => {
    if (typeof value !== 'string') return value;
    if (/^[0-9a-f]{64}$/.test(value)) return hash(value);
    if (/^[0-9a-f]{32}$/.test(value)) return hash(value).slice(0, 32);
    if (/^019a0000-0000-7000-8000-/.test(value)) return `019a0000-0000-7000-8000-${hash(value).slice(0, 12)}`;
    if (key === 'service' || key === 'peerService') return serviceApart(value, name);
    return value === ISSUER ? issuerApart(name) : value;
  });
  return JSON.parse(text);
}

const ISSUER = 'https://idp';
export const issuerApart = (name: string): string => `${ISSUER}/${name}`;
export const serviceApart = (service: string, name: string): string => `${service}.${name}`;
