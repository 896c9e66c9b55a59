import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkPolicy,
  formatNote,
  formatPolicy,
  formatVerifierKey,
  meetsQuorum,
  parseNote,
  parsePolicy,
  policyOfLog,
  VerificationError,
} from '@behalf/verify';
import fc from 'fast-check';
import { cosigner } from './cosigner.ts';
import { flipped, numberedEntries, referenceLog, signNote, verifierKeyOf } from './reference-log.ts';

const log = referenceLog(numberedEntries(300));
const [x1, x2, x3, y1] = ['x1.example', 'x2.example', 'x3.example', 'y1.example'].map(cosigner) as [
  ReturnType<typeof cosigner>,
  ReturnType<typeof cosigner>,
  ReturnType<typeof cosigner>,
  ReturnType<typeof cosigner>,
];

/** The shape of the specification's example. */
const FILE = `# who must have seen it
log ${log.verifierKey} https://log.example/

witness X1 ${x1.verifierKey}
 witness\tX2 ${x2.verifierKey} https://x2.example/
witness X3 ${x3.verifierKey}
  # two of three
group X-witnesses 2 X1 X2 X3
witness Y1 ${y1.verifierKey}
group Y-witnesses any Y1
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;
const policy = parsePolicy(FILE);

test('a policy file says which logs, witnesses, groups and quorum', () => {
  assert.deepEqual(policy, {
    logs: [{ verifierKey: log.verifierKey, url: 'https://log.example/' }],
    witnesses: [
      { name: 'X1', verifierKey: x1.verifierKey },
      { name: 'X2', verifierKey: x2.verifierKey, url: 'https://x2.example/' },
      { name: 'X3', verifierKey: x3.verifierKey },
      { name: 'Y1', verifierKey: y1.verifierKey },
    ],
    groups: [
      { name: 'X-witnesses', threshold: 2, members: ['X1', 'X2', 'X3'] },
      { name: 'Y-witnesses', threshold: 1, members: ['Y1'] },
      { name: 'X-and-Y', threshold: 2, members: ['X-witnesses', 'Y-witnesses'] },
    ],
    quorum: 'X-and-Y',
  });
  assert.deepEqual(parsePolicy(formatPolicy(policy)), policy);
  assert.equal(formatPolicy(parsePolicy(formatPolicy(policy))), formatPolicy(policy));
});

test('a checkpoint is accepted exactly when the quorum cosigned it', async () => {
  const cosigners = [x1, x2, x3, y1];
  for (let chosen = 0; chosen < 16; chosen += 1) {
    const who = cosigners.filter((_, i) => (chosen & (1 << i)) !== 0);
    const note = who.reduce((signed, each) => each.cosign(signed, 7n), log.note);
    const enough = who.filter((each) => each !== y1).length >= 2 && who.includes(y1);
    if (!enough) {
      await assert.rejects(checkPolicy(note, policy), { code: 'quorum' });
      continue;
    }
    const accepted = await checkPolicy(note, policy);
    assert.equal(accepted.checkpoint.size, 300n);
    assert.equal(accepted.verifierKey, log.verifierKey);
    assert.deepEqual(
      accepted.cosigned,
      who.map((each) => ({ witness: each.name.slice(0, 2).toUpperCase(), time: 7n })),
    );
  }
});

test('signatures of keys nobody asked about are ignored; one of a named key that does not verify refuses the note', async () => {
  const enough = [x1, x3, y1].reduce((note, each) => each.cosign(note), log.note);
  const stranger = cosigner('stranger.example').cosign(enough);
  const { text, signatures } = parseNote(stranger);
  const unknown = { name: 'post-quantum.example', keyId: 7, signature: new Uint8Array(2428).fill(6) };
  assert.equal(
    (await checkPolicy(formatNote({ text, signatures: [unknown, ...signatures] }), policy)).cosigned.length,
    3,
  );
  for (const at of [0, 1]) {
    const changed = signatures.map((each, i) =>
      i === at ? { ...each, signature: flipped(each.signature, 200) } : each,
    );
    await assert.rejects(checkPolicy(formatNote({ text, signatures: changed }), policy), { code: 'bad_signature' });
  }
});

test('a checkpoint of a log the policy does not name, or not signed by its key, is refused', async () => {
  const other = referenceLog(numberedEntries(3), 'other.example/log');
  await assert.rejects(checkPolicy(other.note, policyOfLog(log.verifierKey)), { code: 'unsigned' });
  const posing = signNote(log.origin, other.note.split('\n\n')[0]?.concat('\n') ?? '');
  await assert.rejects(checkPolicy(posing, policyOfLog(log.verifierKey)), { code: 'wrong_origin' });
  const none = parsePolicy('quorum none\n');
  await assert.rejects(checkPolicy(log.note, none), { code: 'unsigned' });
  const { text, signatures } = parseNote(x1.cosign(log.note));
  const unsigned = formatNote({ text, signatures: signatures.slice(1) });
  await assert.rejects(checkPolicy(unsigned, policyOfLog(log.verifierKey)), { code: 'unsigned' });
  const rotated = formatVerifierKey(log.origin, y1.publicKey);
  const both = parsePolicy(`log ${rotated}\nlog ${log.verifierKey}\nquorum none\n`);
  assert.equal((await checkPolicy(log.note, both)).verifierKey, log.verifierKey);
});

const HOSTILE: readonly (readonly [why: string, text: string])[] = [
  ['no quorum', `log ${log.verifierKey}\n`],
  ['two quorums', 'quorum none\nquorum none\n'],
  ['nothing', ''],
  ['no final newline', 'quorum none'],
  ['carriage return', 'quorum none\r\n'],
  ['other white space', 'quorum\u00a0none\n'],
  ['a control character', 'quorum none\u007f\n'],
  ['a lone surrogate', 'quorum none\n#\ud800\n'],
  ['an unknown word', 'threshold 3\nquorum none\n'],
  ['a quorum nobody defined', 'quorum X1\n'],
  ['a quorum defined later', `quorum X1\nwitness X1 ${x1.verifierKey}\n`],
  ['a member defined later', `group g any X1\nwitness X1 ${x1.verifierKey}\nquorum g\n`],
  ['a group of itself', 'group g any g\nquorum g\n'],
  ['none as a member', 'group g any none\nquorum g\n'],
  ['none as a name', `witness none ${x1.verifierKey}\nquorum none\n`],
  ['a name twice', `witness X ${x1.verifierKey}\nwitness X ${x2.verifierKey}\nquorum X\n`],
  ['a group named as a witness', `witness X ${x1.verifierKey}\ngroup X any X\nquorum X\n`],
  ['a key under two names', `witness X ${x1.verifierKey}\nwitness Y ${x1.verifierKey}\nquorum X\n`],
  [
    'a key under two key names',
    `witness X ${x1.verifierKey}\nwitness Y ${formatVerifierKey('b', x1.publicKey, 'cosignature')}\nquorum X\n`,
  ],
  ['a log twice', `log ${log.verifierKey}\nlog ${log.verifierKey}\nquorum none\n`],
  ['a member twice', `witness X ${x1.verifierKey}\ngroup g any X X\nquorum g\n`],
  ['a member of two groups', `witness X ${x1.verifierKey}\ngroup g any X\ngroup h any X\nquorum g\n`],
  ['an empty group', 'group g any\nquorum g\n'],
  ['threshold 0', `witness X ${x1.verifierKey}\ngroup g 0 X\nquorum g\n`],
  ['threshold above', `witness X ${x1.verifierKey}\ngroup g 2 X\nquorum g\n`],
  ['threshold with a zero before', `witness X ${x1.verifierKey}\ngroup g 01 X\nquorum g\n`],
  ['a word too many', `log ${log.verifierKey} https://a/ b\nquorum none\n`],
  ['a witness key for a log', `log ${x1.verifierKey}\nquorum none\n`],
  ['a log key for a witness', `witness X ${verifierKeyOf('w.example')}\nquorum X\n`],
  ['a key that is none', 'log example+00000000+AAAA\nquorum none\n'],
  ['over a million characters', `#${'x'.repeat(1_000_000)}\nquorum none\n`],
];

for (const [why, text] of HOSTILE) {
  test(`a policy with ${why} is refused as malformed`, () => {
    assert.throws(
      () => parsePolicy(text),
      (error) => error instanceof VerificationError && error.code === 'malformed',
    );
  });
}

test('a refusal names the line', () => {
  assert.throws(() => parsePolicy('\n# here\nquorum X9\n'), /policy line 3: .*X9/);
});

test('names are compared exactly: Kelvin’s sign is no K', () => {
  assert.throws(() => parsePolicy(`witness K ${x1.verifierKey}\nquorum \u212a\n`), { code: 'malformed' });
  const kelvin = parsePolicy(`witness \u212a ${x1.verifierKey}\nquorum \u212a\n`);
  assert.equal(meetsQuorum(kelvin, ['K']), false);
  assert.equal(meetsQuorum(kelvin, ['\u212a']), true);
});

test('whatever text is given, it is read as a policy that formats back to itself, or refused', () => {
  const words = [
    'log',
    'witness',
    'group',
    'quorum',
    'none',
    'any',
    'all',
    '2',
    'X',
    'Y',
    '#',
    '\t',
    '\n',
    ' ',
    x1.verifierKey,
  ];
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' })), { maxLength: 20 }),
      (parts) => {
        try {
          const parsed = parsePolicy(parts.join(' '));
          assert.deepEqual(parsePolicy(formatPolicy(parsed)), parsed);
        } catch (error) {
          assert.ok(error instanceof VerificationError, String(error));
        }
      },
    ),
    { numRuns: 2000 },
  );
});
