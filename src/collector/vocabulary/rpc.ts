import { given, type Reading, type Vocabulary } from './reading.ts';

const SYSTEM = ['rpc.system.name', 'rpc.system'];
const CODE = ['rpc.status_code', 'rpc.response.status_code', 'rpc.grpc.status_code'];

/** Remote procedure calls, semantic conventions up to and after 1.44: both generations of names. */
export const rpc: Vocabulary = {
  name: 'rpc',
  keys: [...SYSTEM, ...CODE, 'rpc.service', 'rpc.method'],
  read: (span) => {
    const system = span.text(...SYSTEM);
    const method = span.text('rpc.method');
    if (system === undefined && method === undefined) return undefined;
    const service = span.text('rpc.service');
    const code = span.text(...CODE);
    const name = method?.includes('/') || service === undefined ? method : `${service}/${method ?? '*'}`;
    return given<Reading>({
      protocol: system === 'grpc' ? 'grpc' : 'rpc',
      operation: name,
      resource: name,
      code,
      failed: code === undefined ? undefined : code !== '0' && code !== 'OK',
    });
  },
};
