/**
 * Holds a service at rest against the ledger: everything acknowledged is there in every way there is
 * to see it, nothing else is (docs/architecture.md, "Invariants").
 */
import { groupBy } from '../../../src/group-by.js';
import { patientOf, hashOf } from './files.js';
import type { Change } from './feed-follower.js';
import type { Content, Instance, Ledger } from './ledger.js';

export interface Verdict {
  /** What was acknowledged and is not there, or not as it was. */
  readonly losses: string[];
  /** What is seen although it was refused, deleted or never happened. */
  readonly ghosts: string[];
}

const parallel = 8;

/** Runs work on all items, a few at a time. */
async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const workers = Array.from({ length: parallel }, async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await work(item);
  });
  await Promise.all(workers);
}

type DataSet = Readonly<Record<string, { readonly Value?: readonly unknown[] } | undefined>>;

const tags = {
  studyUid: '0020000D',
  instanceUid: '00080018',
  modalities: '00080061',
  seriesInStudy: '00201206',
  instancesInStudy: '00201208',
  instancesInSeries: '00201209',
  seriesUid: '0020000E',
  modality: '00080060',
} as const;

function valueOf(dataSet: DataSet | undefined, tag: string): unknown {
  return dataSet?.[tag]?.Value?.[0];
}

class Verification {
  readonly verdict: Verdict = { losses: [], ghosts: [] };
  readonly #baseUrl: string;

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl;
  }

  async #get(path: string, accept = 'application/dicom+json'): Promise<Response> {
    return await fetch(this.#baseUrl + path, {
      headers: { accept },
      signal: AbortSignal.timeout(60_000),
    });
  }

  async #search(path: string): Promise<readonly DataSet[]> {
    const response = await this.#get(path);
    if (response.status === 204) return [];
    if (response.status === 404) return [];
    if (!response.ok) throw new Error(`${path} answered ${response.status}.`);
    return (await response.json()) as readonly DataSet[];
  }

  /** Something must be seen, or must not. */
  #compare(what: string, expected: unknown, seen: unknown): void {
    if (expected === seen) return;
    const text = `${what}: ${String(seen)} instead of ${String(expected)}`;
    const { losses, ghosts } = this.verdict;
    const isMore = typeof seen === 'number' && typeof expected === 'number' && seen > expected;
    (isMore || expected === undefined || expected === false ? ghosts : losses).push(text);
  }

  async #content({ study, series, instance }: Instance): Promise<Content> {
    const path = `/studies/${study}/series/${series}/instances/${instance}`;
    const response = await this.#get(path, 'application/dicom; transfer-syntax=*');
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.status === 404) return undefined;
    return response.status === 200 ? hashOf(bytes) : `answer ${response.status}`;
  }

  async instance(ledger: Ledger, instance: Instance): Promise<void> {
    const seen = await this.#content(instance);
    if (instance.inDoubt !== undefined) ledger.resolve(instance, seen);
    this.#compare(`file of ${instance.instance}`, instance.content, seen);
    const { study, series, instance: uid } = instance;
    const there = instance.content !== undefined;
    const found = await this.#search(`/instances?SOPInstanceUID=${uid}`);
    this.#compare(`search for ${uid}`, there ? 1 : 0, found.length);
    const path = `/studies/${study}/series/${series}/instances/${uid}/metadata`;
    const metadata = await this.#search(path);
    this.#compare(
      `metadata of ${uid}`,
      there ? uid : undefined,
      valueOf(metadata[0], tags.instanceUid),
    );
  }

  async study(study: string, there: readonly Instance[]): Promise<void> {
    const isThere = there.length > 0;
    const found = await this.#search(`/studies?PatientID=${patientOf(study)}&limit=200`);
    const [result] = found.filter((one) => valueOf(one, tags.studyUid) === study);
    this.#compare(`search for study ${study}`, isThere, result !== undefined);
    const series = new Set(there.map((instance) => instance.series));
    const counted = (value: unknown) => (isThere ? Number(value) : 0);
    this.#compare(
      `instances of study ${study}`,
      there.length,
      counted(valueOf(result, tags.instancesInStudy)),
    );
    this.#compare(
      `series of study ${study}`,
      series.size,
      counted(valueOf(result, tags.seriesInStudy)),
    );
    const listed = await this.#search(`/studies/${study}/series?limit=200`);
    this.#compare(`list of series of ${study}`, series.size, listed.length);
    for (const one of listed) {
      const uid = valueOf(one, tags.seriesUid);
      const below = there.filter((instance) => instance.series === uid).length;
      this.#compare(
        `instances of series ${String(uid)}`,
        below,
        Number(valueOf(one, tags.instancesInSeries)),
      );
    }
    const modalities = new Set(listed.map((one) => valueOf(one, tags.modality)));
    this.#compare(
      `modalities of ${study}`,
      isThere ? [...modalities].sort().join() : '',
      (result?.[tags.modalities]?.Value ?? []).join(),
    );
    const instances = await this.#search(`/studies/${study}/instances?limit=200`);
    this.#sameUids(`instances in ${study}`, there, instances);
    const metadata = await this.#search(`/studies/${study}/metadata`);
    this.#sameUids(`metadata of ${study}`, there, metadata);
  }

  #sameUids(what: string, there: readonly Instance[], seen: readonly DataSet[]): void {
    const uids = new Set(seen.map((one) => valueOf(one, tags.instanceUid)));
    for (const { instance } of there)
      this.#compare(`${what}: ${instance}`, true, uids.delete(instance));
    this.#compare(what, 0, uids.size);
  }

  async studyList(expected: ReadonlySet<string>): Promise<void> {
    const seen = new Set<unknown>();
    for (let offset = 0; ;) {
      const page = await this.#search(`/studies?limit=100&offset=${offset}`);
      for (const one of page) seen.add(valueOf(one, tags.studyUid));
      offset += page.length;
      if (page.length === 0) break;
    }
    for (const study of expected) this.#compare(`study list: ${study}`, true, seen.delete(study));
    this.#compare('study list', 0, seen.size);
  }

  /** The changes that were shown of an instance are those that happened, in their order. */
  history(instance: Instance, changes: readonly Change[]): void {
    const shown = changes.map(({ action }) => action).join();
    const happened = instance.history.join();
    if (shown === happened) return;
    const text = `feed of ${instance.instance}: ${shown} instead of ${happened}`;
    const { losses, ghosts } = this.verdict;
    (changes.length > instance.history.length ? ghosts : losses).push(text);
  }

  /** The last change of an instance says whether it is there; those before are of the past. */
  states(instance: Instance, changes: readonly Change[]): void {
    const last = changes.at(-1);
    for (const change of changes) {
      const gone = instance.content === undefined;
      const expected = gone ? 'Deleted' : change === last ? 'Current' : 'Replaced';
      this.#compare(`state of change ${change.sequence}`, expected, change.state);
    }
  }
}

/**
 * Looks up what was in doubt, and compares.
 *
 * @param touched - the instances to look at, with all others of their studies.
 * @param changes - the whole feed as a live reader saw it.
 */
export async function verify(
  baseUrl: string,
  ledger: Ledger,
  touched: readonly Instance[],
  changes: readonly Change[],
): Promise<Verdict> {
  const verification = new Verification(baseUrl);
  await each(touched, async (instance) => await verification.instance(ledger, instance));
  const there = [...ledger.instances.values()].filter(({ content }) => content !== undefined);
  const byStudy = groupBy(there, ({ study }) => study);
  const studies = new Set(touched.map(({ study }) => study));
  await each(studies, async (study) => await verification.study(study, byStudy.get(study) ?? []));
  await verification.studyList(new Set(byStudy.keys()));
  const byInstance = groupBy(changes, ({ sopInstanceUid }) => sopInstanceUid);
  for (const instance of touched) {
    verification.history(instance, byInstance.get(instance.instance) ?? []);
  }
  return verification.verdict;
}

/**
 * Compares what a live reader of the feed saw with the feed as it is at the end: nothing has appeared
 * behind the reader, and nothing that it was shown has gone (invariant 7).
 */
export function compareFeeds(
  followed: readonly Change[],
  now: readonly Change[],
  ledger: Ledger,
): Verdict {
  const verdict: Verdict = { losses: [], ghosts: [] };
  const keyOf = ({ sequence, action, sopInstanceUid }: Change) =>
    `${sequence} ${action} ${sopInstanceUid}`;
  const seen = new Set(followed.map(keyOf));
  for (const change of now) {
    if (!seen.delete(keyOf(change))) verdict.losses.push(`behind the reader: ${keyOf(change)}`);
  }
  for (const key of seen) verdict.ghosts.push(`shown, then gone: ${key}`);
  const verification = new Verification('');
  for (const [uid, changes] of groupBy(now, ({ sopInstanceUid }) => sopInstanceUid)) {
    const instance = ledger.instances.get(uid);
    if (instance === undefined) verdict.ghosts.push(`feed of unknown ${uid}`);
    else verification.states(instance, changes);
  }
  verdict.losses.push(...verification.verdict.losses);
  verdict.ghosts.push(...verification.verdict.ghosts);
  return verdict;
}
