/** What the check of a store can find: the table of kinds, and one finding. */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import type { ContainerName } from '../../blob-store.js';
import type { Partition } from '../keys.js';
import type { Tail } from '../log/log-tail.js';
import type { PartitionTotals } from '../log/totals.js';
import type { Address, IndexRow } from '../index/search-index.js';

interface Kind {
  readonly description: string;
  /** Whether `mend` can put it right. */
  readonly mendable: boolean;
}

function mendable(description: string): Kind {
  return { description, mendable: true };
}

function lasting(description: string): Kind {
  return { description, mendable: false };
}

/** THE table of findings. */
export const findingKinds = {
  'study-row-missing': mendable('instances without the row of their study'),
  'study-row-empty': mendable('a study row without instances'),
  'series-row-missing': mendable('instances without the row of their series'),
  'series-row-empty': mendable('a series row without instances'),
  'counts-wrong': mendable('counts, modalities or SOP classes that differ from the instances'),
  'row-unreadable': lasting('a row that is not as the service writes it'),
  'original-wrong': lasting('an updated instance without its original, or an original of none'),
  'index-row-missing': mendable('an index row without which a search misses something'),
  'index-row-dangling': mendable('an index row of nothing'),
  'browse-row-missing': mendable('a study that the study list lacks'),
  'browse-row-stale': mendable('an outdated copy in the study list'),
  'browse-row-dangling': mendable('a copy of no study in the study list'),
  'blob-missing': lasting('an instance without its file, or without its metadata or frame index'),
  'blob-length-wrong': lasting('a file that is not as long as its row says'),
  'blob-orphaned': mendable('a blob that no row names'),
  'blob-unknown': lasting('a blob that is not named as the service names them'),
  'log-entry-pending': mendable('a change that nobody has settled in time'),
  'log-tail-wrong': mendable('a shard of the log whose tail does not fit its entries'),
  'totals-wrong': mendable('totals that the log keeps and that differ from the rows, or none'),
} as const satisfies Record<string, Kind>;

export type FindingKind = keyof typeof findingKinds;

/** What a mend acts on. Keys may hold patient data: never print one. */
export type Target =
  | { readonly kind: 'study'; readonly partition: Partition; readonly study: StudyInstanceUID }
  | { readonly kind: 'index-row'; readonly row: IndexRow }
  | ({ readonly kind: 'index-key' } & Address)
  | { readonly kind: 'browse-row'; readonly partition: Partition; readonly study: StudyInstanceUID }
  | { readonly kind: 'blob'; readonly container: ContainerName; readonly name: string }
  | { readonly kind: 'log-entry'; readonly sequence: number }
  | { readonly kind: 'log-tail'; readonly shard: number }
  | { readonly kind: 'totals'; readonly tails: readonly Tail[]; readonly missing: PartitionTotals }
  | { readonly kind: 'none' };

export interface Finding {
  readonly kind: FindingKind;
  /** Partition and UIDs, name of a blob, or sequences in the log; no patient data. */
  readonly where: string;
  /** What is amiss there; no patient data. May be empty. */
  readonly detail: string;
  readonly target: Target;
}

/** Where something of a study is, for people. */
export function placeOf(...names: readonly (string | undefined)[]): string {
  return names.filter((name) => name !== undefined).join('/');
}
