import type { Chain, Fact, Finding } from '#chains';
import { entryAddress } from './route.ts';
import { Sentence } from './shown.tsx';
import { SeverityBadge } from './verdict.tsx';

/** Leaf indexes as links to the entries themselves. */
export const EntryLinks = ({ entries }: { entries: readonly string[] }) => (
  <span class="entry-links">
    {[...new Set(entries)].map((index) => (
      <a key={index} href={entryAddress(index)} aria-label={`entry ${index}`}>
        #{index}
      </a>
    ))}
  </span>
);

/** Facts, each with the entries that say so. */
export const Facts = ({ facts }: { facts: readonly Fact[] }) => (
  <ul class="evidence">
    {facts.map((fact) => (
      <li key={fact.says}>
        <Sentence text={fact.says} /> <EntryLinks entries={fact.entries} />
      </li>
    ))}
  </ul>
);

interface FindingsProps {
  readonly chain: Pick<Chain<unknown>, 'findings' | 'hops'>;
  readonly onSelect: (hopId: string) => void;
}

/** Rules that held, the gravest first, each with its facts and its place in the chain. */
export function Findings({ chain, onSelect }: FindingsProps) {
  if (chain.findings.length === 0) return <p class="hint">No rule found anything in this chain.</p>;
  const [graver, notices] = [
    chain.findings.filter((finding) => finding.severity !== 'notice').toSorted(byGravity),
    chain.findings.filter((finding) => finding.severity === 'notice'),
  ];
  return (
    <>
      {graver.length === 0 ? null : <FindingList chain={chain} findings={graver} onSelect={onSelect} />}
      {notices.length === 0 ? null : (
        <details class="notices">
          <summary>
            {notices.length === 1 ? '1 notice' : `${notices.length} notices`} (no bearing on the verdict)
          </summary>
          <FindingList chain={chain} findings={notices} onSelect={onSelect} />
        </details>
      )}
    </>
  );
}

function FindingList({ chain, findings, onSelect }: FindingsProps & { findings: readonly Finding[] }) {
  const isHop = (id: string) => chain.hops.some((hop) => hop.id === id);
  return (
    <ul class="findings">
      {findings.map((finding, i) => (
        <li key={`${finding.rule} ${finding.hop} ${i}`}>
          <FindingBody finding={finding} />
          {finding.hop !== null && isHop(finding.hop) ? <ShowHop hop={finding.hop} onSelect={onSelect} /> : null}
        </li>
      ))}
    </ul>
  );
}

const ShowHop = ({ hop, onSelect }: { hop: string; onSelect: (hop: string) => void }) => (
  <button type="button" class="link" onClick={() => onSelect(hop)}>
    show the hop
  </button>
);

export const FindingBody = ({ finding }: { finding: Finding }) => (
  <>
    <h3 class="finding-title">
      <SeverityBadge severity={finding.severity} /> {finding.title}
    </h3>
    <p>
      <Sentence text={finding.says} />
    </p>
    <Facts
      facts={finding.facts.map((fact) => (fact.says === finding.says ? { ...fact, says: 'by the entries' } : fact))}
    />
    <p class="muted small">
      rule <code>{finding.rule}</code>
      {finding.owasp.length === 0 ? null : <> · OWASP {finding.owasp.join(', ')}</>}
    </p>
  </>
);

const GRAVITY = { critical: 0, warning: 1, notice: 2 };
const byGravity = (a: Finding, b: Finding): number => GRAVITY[a.severity] - GRAVITY[b.severity];
