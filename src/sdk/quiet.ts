import { AsyncLocalStorage } from 'node:async_hooks';
import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';

const quiet = new AsyncLocalStorage<true>();

/** Runs what is not to be traced or recorded: the SDK's own calls, and those it has recorded already. */
export const quietly = <T>(run: () => T): T =>
  quiet.run(true, () => context.with(suppressTracing(context.active()), run));

/** True in what `quietly` runs, and in what that starts. */
export const isQuiet = (): boolean => quiet.getStore() === true;
