/** Which logs are accepted and how many of which witnesses must have cosigned (C2SP tlog-policy). */
export interface Policy {
  readonly logs: readonly PolicyLog[]; // may be none, where the log's key is known otherwise
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[]; // each names only witnesses and groups before it
  readonly quorum: string; // a witness, a group, or `none`
}
export interface PolicyLog {
  readonly verifierKey: string; // its name is the log's origin
  readonly url?: string;
}
export interface PolicyWitness {
  readonly name: string; // inside this policy; the key has its own
  readonly verifierKey: string; // of type cosignature
  readonly url?: string; // its submission prefix (C2SP tlog-witness)
}
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number; // 1 to the number of members
  readonly members: readonly string[];
}

/** The policy that asks for one log's signature and no witness. */
export const policyOfLog = (verifierKey: string): Policy => ({
  logs: [{ verifierKey }],
  witnesses: [],
  groups: [],
  quorum: 'none',
});
