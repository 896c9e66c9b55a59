export type { ChainAnswer, ChainSummary, ChainsAnswer, LogPosition, PartyView } from './answers.ts';
