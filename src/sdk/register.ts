/**
 * `node --import @behalf/sdk/register program.js`: starts Behalf from environment variables alone, and records every `fetch`
 * and `node:http` request of the program. A program that also guards imports `behalf` from here.
 */
import { behalfFromEnvironment } from './environment.ts';

export const behalf = behalfFromEnvironment({ automatic: true });

process.once('beforeExit', () => void behalf.shutdown());
