import type { BlastRadiusAnswer, PartyView } from '#query';
import { clean, type Paint } from './paint.ts';
import { nameParty } from './render-hop.ts';

type Actual = BlastRadiusAnswer['actual'];
type Reached = Actual['services'][number] | Actual['parties'][number];

/** A blast radius as text: a line for each thing reached, the way there and what would have stopped it below. */
export function renderBlastRadius(answer: BlastRadiusAnswer, paint: Paint): string {
  const { actual, possible, origin, direction } = answer;
  const isForward = direction === 'forward';
  const head = `${paint('bold', `${origin.kind} ${clean(origin.key)}`)}  ${isForward ? 'reached' : 'was led to by'}`;
  const counts = `${actual.hops} hops in ${actual.chains} chains; ${answer.completeness.says}`;
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', paint('bold', title), ...lines];
  return [
    head,
    counts,
    ...section(
      'services',
      actual.services.flatMap((each) => lines(each, each.what, isForward, paint)),
    ),
    ...section(
      'resources',
      actual.resources.flatMap((each) => lines(each, each.what, isForward, paint)),
    ),
    ...section(
      isForward ? 'people whose authority was used' : 'who acted, was acted for or started it',
      actual.parties.flatMap((each) => lines(each, named(each.what), isForward, paint)),
    ),
    ...section(
      'refused',
      actual.stopped.map(({ says }) => `  ${paint('yellow', '⊘')} ${clean(says)}`),
    ),
    ...section(
      'could have been reached besides',
      (possible?.reached ?? []).map((each) => possibleLine(each, paint)),
    ),
    ...section(
      'could not',
      (possible?.stopped ?? []).map(({ says }) => `  ${paint('yellow', '⊘')} ${clean(says)}`),
    ),
    ...section(
      'could have come from',
      (answer.possibleSources?.sources ?? []).map((each) => sourceLine(each, paint)),
    ),
    ...section(
      'could not have come from',
      (answer.possibleSources?.stopped ?? []).map(({ says }) => `  ${paint('yellow', '⊘')} ${clean(says)}`),
    ),
    ...section('crossed without verification', unique(answer.boundaryGaps.map(({ says }) => `  ${clean(says)}`))),
    '',
  ].join('\n');
}

function lines(reached: Reached, name: string, isForward: boolean, paint: Paint): readonly string[] {
  const way = reached.path.map(({ says }) => clean(says, 80)).join(', then ');
  return [
    `  ${paint('bold', clean(name))}  ${reached.hops} ${reached.hops === 1 ? 'hop' : 'hops'}`,
    paint('gray', `    by ${way}`),
    ...(isForward
      ? [
          `    ${reached.checkedBy === null ? 'nothing on the way verified and enforced' : clean(reached.checkedBy)}`,
          `    stopped by: ${clean(reached.wouldHaveStopped)}`,
        ]
      : []),
  ];
}

const possibleLine = (
  { service, path, why, resources }: NonNullable<BlastRadiusAnswer['possible']>['reached'][number],
  paint: Paint,
): string => {
  const over = resources.length === 0 ? '' : `: ${resources.map((each) => clean(each, 60)).join(', ')}`;
  return `  ${paint('bold', clean(service))}${over}\n    by ${path.map((each) => clean(each, 60)).join(' → ')}; ${clean(why)}`;
};

const sourceLine = (
  { service, path, why, parties }: NonNullable<BlastRadiusAnswer['possibleSources']>['sources'][number],
  paint: Paint,
): string => {
  const who =
    parties.length === 0
      ? ''
      : `: ${parties
          .map(named)
          .map((each) => clean(each, 60))
          .join(', ')}`;
  return `  ${paint('bold', clean(service))}${who}\n    by ${path.map((each) => clean(each, 60)).join(' → ')}; ${clean(why)}`;
};

const named = (party: PartyView): string => nameParty(party);
const unique = (list: readonly string[]): readonly string[] => [...new Set(list)];
