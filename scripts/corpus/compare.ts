/**
 * Compares the metadata of our service with what independent readers (the oracles) say. Where the
 * oracles agree with each other we must agree with them; where they do not, one on our side is enough.
 */
import type { NormalDataSet, NormalElement, NormalValue } from './normal-form.js';

export interface Oracle {
  readonly name: string;
  readonly dataSet: NormalDataSet;
  /** Tags of which it cannot say anything, at any depth. */
  readonly silentOn?: ReadonlySet<string>;
}

/** One attribute on which not everybody agrees. */
export interface Finding {
  /** Tags and item numbers from the top, as in `00400275/0/00400007`. */
  readonly path: string;
  /** `mismatch`: no oracle agrees with us. `divided`: one does, another does not. */
  readonly kind: 'mismatch' | 'divided';
  /** What each says, ours first, short enough to print. */
  readonly statements: readonly string[];
}

/** Binary values up to this many bytes are sent inline, longer ones by reference. */
export const inlineLimit = 256;

/** Pixel data are sent by reference whatever their length. */
const alwaysByReference = new Set(['7FE00008', '7FE00009', '7FE00010']);

type Verdict = 'agrees' | 'differs' | 'abstains';

/** Compares a data set with every oracle, attribute by attribute, into sequences. */
export function compareDataSets(
  ours: NormalDataSet,
  oracles: readonly Oracle[],
  prefix = '',
): readonly Finding[] {
  const tags = new Set(
    [ours, ...oracles.map(({ dataSet }) => dataSet)].flatMap((d) => [...d.keys()]),
  );
  return [...tags].sort().flatMap((tag) => compareAttribute(tag, ours, oracles, prefix));
}

function compareAttribute(
  tag: string,
  ours: NormalDataSet,
  oracles: readonly Oracle[],
  prefix: string,
): readonly Finding[] {
  const path = `${prefix}${tag}`;
  const mine = ours.get(tag);
  const said = oracles
    .filter(({ silentOn }) => silentOn?.has(tag) !== true)
    .map((oracle) => ({ ...oracle, element: oracle.dataSet.get(tag) }));
  const verdicts = said.map(({ element }) => judge(tag, mine, element));
  const findings: Finding[] = [];
  if (verdicts.includes('differs')) {
    findings.push({
      path,
      kind: verdicts.includes('agrees') ? 'divided' : 'mismatch',
      statements: [
        `ours ${describe(mine)}`,
        ...said.map(({ name, element }) => `${name} ${describe(element)}`),
      ],
    });
  }
  if (mine?.kind !== 'items') return findings;
  const nested = mine.items.flatMap((item, index) => {
    const theirs = said.flatMap(({ element, ...oracle }) => {
      const dataSet = element?.kind === 'items' ? element.items[index] : undefined;
      const comparable = judge(tag, mine, element) === 'agrees';
      return comparable && dataSet !== undefined ? [{ ...oracle, dataSet }] : [];
    });
    return theirs.length === 0 ? [] : compareDataSets(item, theirs, `${path}/${index}/`);
  });
  return [...findings, ...nested];
}

function judge(
  tag: string,
  ours: NormalElement | undefined,
  theirs: NormalElement | undefined,
): Verdict {
  if (theirs?.kind === 'unknown') return 'abstains';
  if (ours === undefined || theirs === undefined) return verdict(ours === theirs);
  if (ours.vr !== theirs.vr) return 'differs';
  if (ours.kind === 'reference') return verdict(belongsByReference(tag, theirs));
  if (ours.kind === 'bytes' && ours.by !== 'digest') {
    if (belongsByReference(tag, theirs) !== (ours.by === 'reference')) return 'differs';
  }
  switch (theirs.kind) {
    case 'empty':
      return verdict(ours.kind === 'empty');
    case 'encapsulated':
      return verdict(
        ours.kind === 'encapsulated' || (ours.kind === 'bytes' && ours.by === 'reference'),
      );
    case 'values':
      return verdict(
        ours.kind === 'values' &&
          ours.values.length === theirs.values.length &&
          ours.values.every((value, index) => equal(ours.vr, value, theirs.values[index])),
      );
    case 'items':
      return verdict(ours.kind === 'items' && ours.items.length === theirs.items.length);
    case 'bytes':
      return verdict(
        ours.kind === 'bytes' && ours.length === theirs.length && ours.sha256 === theirs.sha256,
      );
    case 'reference':
      return 'abstains';
  }
}

/** Whether a value is long enough, or of such a kind, that a service sends a BulkDataURI for it. */
function belongsByReference(tag: string, element: NormalElement): boolean {
  if (element.kind === 'encapsulated') return true;
  if (element.kind === 'bytes' && alwaysByReference.has(tag)) return true;
  if (element.kind === 'bytes') return element.length > inlineLimit;
  return element.kind === 'values' && JSON.stringify(element.values).length > inlineLimit;
}

/** Doubles may differ in the last place: not every writer prints the shortest exact decimal. */
function equal(vr: string, a: NormalValue, b: NormalValue | undefined): boolean {
  if (vr !== 'FD' || typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Math.abs(a - b) <= 1e-15 * Math.abs(a);
}

function verdict(agrees: boolean): Verdict {
  return agrees ? 'agrees' : 'differs';
}

function describe(element: NormalElement | undefined): string {
  if (element === undefined) return 'absent';
  switch (element.kind) {
    case 'values':
      return `${element.vr} ${clip(JSON.stringify(element.values))}`;
    case 'items':
      return `${element.vr} of ${element.items.length}`;
    case 'bytes':
      return `${element.vr} ${element.by === 'reference' ? 'by reference, ' : ''}${element.length} bytes ${element.sha256.slice(0, 8)}`;
    case 'reference':
      return `${element.vr} reference`;
    case 'empty':
    case 'encapsulated':
    case 'unknown':
      return `${element.vr} ${element.kind}`;
  }
}

function clip(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
