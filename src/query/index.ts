/**
 * The read API: chains, hops, findings, entries with their proofs, and the log itself in C2SP form, with an OpenAPI document
 * made from the routes. It only reads, refuses what it does not know with the reason, and opens persons for the answer
 * alone. Proven by test/query.
 */

export type {
  BlastRadiusAnswer,
  ChainAnswer,
  ChainSummary,
  ChainsAnswer,
  FindingInChain,
  FindingsAnswer,
  HandOversAnswer,
  HopInChain,
  HopsAnswer,
  KnownParty,
  LogAnswer,
  LogPosition,
  PartiesAnswer,
  PartyView,
  ReadyAnswer,
  SharedCredential,
} from './answers.ts';
export type { QueryOptions } from './context.ts';
export type { PersonDiscloser } from './evidence.ts';
export { periodOf } from './filter.ts';
export { MOMENT_PATTERN, parseMoment } from './moment.ts';
export type { PersonFinder } from './party-filter.ts';
export type { Opened, PersonOpener } from './party-view.ts';
export { openParties, partiesOfHop, showHop } from './party-view.ts';
export type { Problem, ProblemCode } from './problem.ts';
export { PROBLEMS, QueryProblem } from './problem.ts';
export type { Alarm } from './problem-handler.ts';
export { installProblems } from './problem-handler.ts';
export { queryApi } from './query-api.ts';
