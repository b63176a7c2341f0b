/**
 * Clears away what writers left behind that died before the log knew of them: blobs that no row names
 * and index rows of nothing. Works through the store in rounds, a piece at a time, and remembers how
 * far it has come; everything that needs judgement is left to `npm run fsck`.
 */
import { groupBy } from '../../../group-by.js';
import type { ContainerName } from '../../blob-store.js';
import { logHeadPartition, logSweptKey } from '../keys.js';
import { parseBlobName, studyPrefix, type BlobPath } from './blob-path.js';
import { contextOf, type CheckContext, type CheckOptions, type Stores } from './check-context.js';
import { danglingRowsOf, indexTables } from './check-index.js';
import type { Finding } from './finding.js';
import { judgeOrphan, wantedBlobs } from './judge-blobs.js';
import { mend } from './mend.js';
import { forEachOf } from './pages.js';
import { readStudy } from './checked-study.js';

/** What a round goes through, one part after the other. */
const parts = ['instances', 'derived', ...indexTables] as const;
type Part = (typeof parts)[number];

/** After so many intervals a round has got stuck, and a new one begins. */
const longestRound = 4;

interface Place {
  /** When the round began, in milliseconds since 1970. */
  readonly began: number;
  /** `undefined` when the round is over. */
  readonly part: Part | undefined;
  readonly continuation: string | undefined;
}

export interface SweepOptions extends Pick<CheckOptions, 'now' | 'orphanAge'> {
  /** Milliseconds from the beginning of a round to that of the next. */
  readonly roundEvery: number;
  /** Milliseconds after which no further page is begun. */
  readonly atMost: number;
}

export interface SweepReport {
  /** Removed. */
  readonly blobs: number;
  readonly indexRows: number;
  /** Whether this run came to the end of a round. */
  readonly isRoundOver: boolean;
}

async function readPlace({ tables }: Stores): Promise<Place | undefined> {
  const row = await tables.get('log', logHeadPartition, logSweptKey);
  if (row === undefined) return undefined;
  const { began, part, continuation } = row.properties;
  return {
    began: Number(began),
    part: parts.find((one) => one === part),
    continuation: typeof continuation === 'string' ? continuation : undefined,
  };
}

async function writePlace({ tables }: Stores, place: Place): Promise<void> {
  const { began, part = 'none', continuation } = place;
  const properties = {
    began: BigInt(began),
    part,
    ...(continuation !== undefined && { continuation }),
  };
  await tables.transact('log', logHeadPartition, [
    { kind: 'upsert', rowKey: logSweptKey, properties },
  ]);
}

/** Blobs that no row names, among some names. */
async function orphansAmong(
  context: CheckContext,
  container: ContainerName,
  names: readonly string[],
): Promise<readonly Finding[]> {
  const old = names.flatMap((name) => {
    const [path, finding] = [parseBlobName(container, name), judgeOrphan(context, container, name)];
    return path === undefined || finding === undefined ? [] : [{ name, path, finding }];
  });
  const studies = groupBy(old, ({ path }: { path: BlobPath }) =>
    studyPrefix(path.partition, path.study),
  );
  const found: Finding[] = [];
  await forEachOf([...studies.values()], async (blobs) => {
    const [first] = blobs;
    if (first === undefined) return;
    const rows = await readStudy(context.tables, first.path.partition, first.path.study);
    // A row that cannot be read may name any of them.
    if (rows.unreadable.length > 0) return;
    const wanted = new Set(
      [...rows.instances, ...rows.originals].flatMap((instance) =>
        wantedBlobs(rows.partition, instance)
          .filter((blob) => blob.container === container)
          .map(({ name }) => name),
      ),
    );
    found.push(...blobs.filter(({ name }) => !wanted.has(name)).map(({ finding }) => finding));
  });
  return found;
}

/** What is to be removed of one page of a part, and where the next page begins. */
async function readPage(
  context: CheckContext,
  part: Part,
  continuation: string | undefined,
): Promise<{ readonly found: readonly Finding[]; readonly next: string | undefined }> {
  const at = continuation === undefined ? {} : { continuation };
  if (part === 'searchindex' || part === 'searchwords') {
    const page = await context.tables.scan(part, { select: [], ...at });
    return { found: await danglingRowsOf(context, part, page.entities), next: page.continuation };
  }
  const page = await context.blobs.list(part, at);
  const names = page.blobs.map(({ name }) => name);
  return { found: await orphansAmong(context, part, names), next: page.continuation };
}

function placeAfter({ began, part }: Place, next: string | undefined): Place {
  if (part === undefined || next !== undefined) return { began, part, continuation: next };
  return { began, part: parts[parts.indexOf(part) + 1], continuation: undefined };
}

/**
 * Goes on with the round under way, or begins one when it is time. Safe beside live traffic and
 * beside itself: everything is looked at again before it is removed.
 *
 * @returns `undefined` when no round is due.
 * @throws ServiceError `storage-unavailable`; the next run goes on where this one was.
 */
export async function sweep(
  stores: Stores,
  { roundEvery, atMost, ...options }: SweepOptions,
): Promise<SweepReport | undefined> {
  const context = contextOf(stores, options);
  const started = context.now();
  const last = await readPlace(stores);
  const age = started - (last?.began ?? -Infinity);
  const isUnderWay = last?.part !== undefined && age < roundEvery * longestRound;
  if (!isUnderWay && age < roundEvery) return undefined;
  const first: Place = { began: started, part: parts[0], continuation: undefined };
  let place = isUnderWay ? last : first;

  const removed = { blobs: 0, indexRows: 0 };
  do {
    if (place.part === undefined) break;
    const { found, next } = await readPage(context, place.part, place.continuation);
    const counted = indexTables.some((one) => one === place.part) ? 'indexRows' : 'blobs';
    await forEachOf(found, async (finding) => {
      if (await mend(stores, finding, options)) removed[counted] += 1;
    });
    place = placeAfter(place, next);
    await writePlace(stores, place);
  } while (context.now() - started < atMost);
  return { ...removed, isRoundOver: place.part === undefined };
}
