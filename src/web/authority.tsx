import type { Chain, Hop } from '#chains';
import type { PartyView } from '#query';
import { Arrow, Digest, Fact, Name, Names, Sentence } from './shown.tsx';
import { formatInstant, formatLocal } from './time.ts';

type Authority = NonNullable<Hop['authority']>;

const CHECKED: Record<Authority['verification']['status'], string> = {
  verified: 'verified',
  failed: 'failed verification',
  unverified: 'not verified',
  absent: 'no credential came',
};

/** The authority each hop used, one row a hop: narrowing and widening show as one reads down. */
export function AuthorityTable({ chain, onSelect }: { chain: Chain<PartyView>; onSelect: (hopId: string) => void }) {
  const rows = chain.hops.flatMap((hop) => (hop.authority === null ? [] : [{ hop, authority: hop.authority }]));
  if (rows.length === 0) return <p class="hint">No hop of this chain carried an authority anybody saw.</p>;
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Hop</th>
            <th scope="col">Scopes</th>
            <th scope="col">Audience</th>
            <th scope="col">Token</th>
            <th scope="col">Credential</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ hop, authority }) => (
            <tr key={hop.id}>
              <th scope="row">
                <button type="button" class="link" onClick={() => onSelect(hop.id)}>
                  <Path hop={hop} />
                </button>
              </th>
              <td>
                <Names list={authority.scopes ?? []} none="none stated" />
              </td>
              <td>
                <Names list={authority.audience ?? []} none="none stated" />
              </td>
              <td>
                {authority.digest === undefined ? (
                  <span class="muted">no digest</span>
                ) : (
                  <Digest hex={authority.digest} />
                )}
              </td>
              <td>{CHECKED[authority.verification.status]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Who called whom, in two names. */
export const Path = ({ hop }: { hop: Hop<unknown> }) =>
  hop.kind === 'local' ? (
    <span class="path">
      inside <Name text={hop.from?.name ?? hop.to?.name ?? ''} />
    </span>
  ) : (
    <span class="path">
      {hop.from === null ? <span class="muted">caller not named</span> : <Name text={hop.from.name} />} <Arrow />{' '}
      {hop.to === null ? <span class="muted">callee not named</span> : <Name text={hop.to.name} />}
    </span>
  );

/** One hop's authority in full; never the token, which nobody keeps. */
export function AuthorityFacts({ hop }: { hop: Hop<PartyView> }) {
  const { authority, requiredScopes } = hop;
  if (authority === null) return <p class="muted">No credential was seen by either side.</p>;
  const missing = requiredScopes.filter((scope) => !(authority.scopes ?? []).includes(scope));
  const time = (of: string | undefined) =>
    of === undefined ? null : <time dateTime={formatInstant(of)}>{formatLocal(of)}</time>;
  const { status, reason, by } = authority.verification;
  return (
    <dl class="facts">
      <Fact term="credential">
        {CHECKED[status]}
        {by === undefined ? null : (
          <>
            {' '}
            by <Name text={by} />
          </>
        )}
        {reason === undefined ? null : (
          <>
            : <Sentence text={reason} />
          </>
        )}
      </Fact>
      <Fact term="scopes held">
        <Names list={authority.scopes ?? []} none="none stated" />
      </Fact>
      <Fact term="scopes required">
        {requiredScopes.length === 0 ? null : <Names list={requiredScopes} none="none" />}
      </Fact>
      <Fact term="not held">{missing.length === 0 ? null : <Names list={missing} none="none" />}</Fact>
      <Fact term="audience">
        <Names list={authority.audience ?? []} none="none stated" />
      </Fact>
      <Fact term="issuer">{authority.issuer === undefined ? null : <Name text={authority.issuer} />}</Fact>
      <Fact term="client">{authority.client === undefined ? null : <Name text={authority.client} />}</Fact>
      <Fact term="token digest">{authority.digest === undefined ? null : <Digest hex={authority.digest} />}</Fact>
      <Fact term="issued">{time(authority.issuedAt)}</Fact>
      <Fact term="expires">{time(authority.expiresAt)}</Fact>
      <Fact term="bound by">{authority.binding ?? null}</Fact>
      <Fact term="transaction">
        {authority.transaction === undefined ? null : <Name text={authority.transaction} mono />}
      </Fact>
      <Fact term="profile">
        <Name text={authority.profile} />
      </Fact>
    </dl>
  );
}
