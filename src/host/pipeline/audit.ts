/**
 * What the log tells of a request for those who audit: who did what to which studies. UIDs and names
 * of partitions are told only when they are well-formed, so that nothing else passes for one.
 */
import type { Principal } from '../../auth/principal.js';
import { parseUid } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { RequestHeaders } from '../../http/incoming-request.js';

/** Headers with which a caller adds to the audit (microsoft-compatible). */
const prefix = 'x-ms-azuredicom-audit-';
const mostHeaders = 10;
const longestValue = 2048;
/** Studies that one store is told to have touched; their number is told in any case. */
const mostStudies = 20;

/** Who sent a request, as far as is known. */
export type Caller = Pick<Principal, 'objectId' | 'appId'>;

/** What a request stored. */
export interface StoredNote {
  readonly instances: number;
  /** UIDs of the studies, the first few. */
  readonly studies?: readonly string[];
}

/**
 * The caller's additions to the audit, by name without the prefix.
 *
 * @throws ServiceError `invalid-header` when they are too many or too long.
 */
export function auditHeadersOf(headers: RequestHeaders): Readonly<Record<string, string>> {
  const added = [...headers].filter(([name]) => name.startsWith(prefix));
  if (added.length > mostHeaders || added.some(([, value]) => value.length > longestValue)) {
    throw new ServiceError(
      'invalid-header',
      `At most ${mostHeaders} audit headers are taken, of up to ${longestValue} characters each.`,
      { parameter: 'X-MS-AZUREDICOM-AUDIT-*' },
    );
  }
  return Object.fromEntries(added.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** The same as a part of the log's line; nothing when nothing was added. @throws ServiceError `invalid-header`. */
export function auditNoteOf(headers: RequestHeaders): {
  readonly audit?: Readonly<Record<string, string>>;
} {
  const audit = auditHeadersOf(headers);
  return Object.keys(audit).length > 0 ? { audit } : {};
}

/** By the names of path parameters: those of WADO-URI, which has the UIDs in its query. */
const inQuery = { study: 'studyuid', series: 'seriesuid', instance: 'objectuid' } as const;

/** The UIDs in the path of a request, or in the query as WADO-URI has them. */
export function uidsOf(
  params: Readonly<Record<string, string>>,
  url: URL,
): Readonly<Record<string, string>> {
  const query = new Map(
    url.search === ''
      ? []
      : [...url.searchParams].map(([key, value]) => [key.toLowerCase(), value] as const),
  );
  const uids = (['study', 'series', 'instance'] as const).map(
    (name) => [name, parseUid(params[name] ?? query.get(inQuery[name]) ?? '')] as const,
  );
  return Object.fromEntries(uids.filter(([, uid]) => uid !== undefined)) as Record<string, string>;
}

/** Who is behind a principal, without what it may do. */
export function callerOf({ objectId, appId }: Principal): Caller | undefined {
  if (objectId === undefined && appId === undefined) return undefined;
  return { ...(objectId !== undefined && { objectId }), ...(appId !== undefined && { appId }) };
}

/** Counts what a request stores. */
export class StoreTally {
  #instances = 0;
  readonly #studies = new Set<string>();

  /** Notes one stored instance of a study. */
  add(study: string): void {
    this.#instances += 1;
    if (this.#studies.size < mostStudies) this.#studies.add(study);
  }

  /** What was stored; nothing when nothing was. */
  note(withUids: boolean): StoredNote | undefined {
    if (this.#instances === 0) return undefined;
    return { instances: this.#instances, ...(withUids && { studies: [...this.#studies] }) };
  }
}
