/**
 * Removing a query tag as a job: first a cut in the log, behind which no store indexes it; then its values and rows
 * in every partition, its errors, and at last the tag itself.
 */
import type { Tag } from '../../dicom/tag.js';
import { isOver, parseJobId, type Job } from '../../jobs/job.js';
import type { JobKind, Slice } from '../../jobs/jobs.js';
import type { Archive } from '../../storage/archive/archive.js';
import { TagErrors } from '../../storage/archive/tagging/tag-errors.js';
import type { PartitionRegistry } from '../../storage/partition-registry.js';
import { systemRuntime, type Runtime } from '../../storage/runtime.js';
import type { ReindexState } from './reindex-job.js';

export interface UntagInput {
  readonly tag: Tag;
  /** The job that was adding it. */
  readonly indexedBy?: string;
}

export interface UntagState {
  /** The number of the data partition that is cleared; 0 before the cut. */
  readonly partition: number;
}

export const beforeUntag: UntagState = { partition: 0 };

const sliceRows = 10_000;
const waitMilliseconds = 250;
const mostWaits = 40;

export interface UntagParts {
  readonly archive: Archive;
  readonly partitions: Pick<PartitionRegistry, 'list'>;
  readonly findJob: (id: NonNullable<ReturnType<typeof parseJobId>>) => Promise<Job | undefined>;
  readonly runtime?: Runtime;
  readonly now?: () => number;
}

/** The kind of job that removes a tag. */
export function untagKind(parts: UntagParts): JobKind {
  const { archive, partitions, findJob, runtime = systemRuntime, now = Date.now } = parts;

  /** Whether a slice of the job that was adding the tag may still be writing rows for it. */
  async function mayStillAdd(indexedBy: string | undefined, version: number): Promise<boolean> {
    const id = parseJobId(indexedBy ?? '');
    const job = id && (await findJob(id));
    if (job === undefined || isOver(job) || job.leasedUntil <= now()) return false;
    return (JSON.parse(job.state) as ReindexState).seen < version;
  }

  /** @returns whether the cut is made. */
  async function begin(indexedBy: string | undefined, version: number): Promise<boolean> {
    for (let waits = 0; await mayStillAdd(indexedBy, version); waits++) {
      if (waits === mostWaits) return false;
      await runtime.rest(waitMilliseconds);
    }
    await archive.tagIndexer.cut(version);
    return true;
  }

  return {
    async slice(inputText, stateText): Promise<Slice> {
      const { tag: name, indexedBy } = JSON.parse(inputText) as UntagInput;
      const state = JSON.parse(stateText) as UntagState;
      const list = await archive.queryTags.read();
      const tag = list.tags.find((one) => one.tag === name && one.status === 'deleting');
      if (tag === undefined) return { state: stateText, end: 'succeeded' };
      if (state.partition === 0) {
        const isMade = await begin(indexedBy, list.version);
        return { state: JSON.stringify({ partition: isMade ? 1 : 0 }) };
      }
      const [partition] = (await partitions.list()).filter(({ key }) => key >= state.partition);
      if (partition !== undefined) {
        const isClear = await archive.tagIndexer.remove(partition.name, tag, sliceRows);
        return { state: JSON.stringify({ partition: partition.key + (isClear ? 1 : 0) }) };
      }
      await new TagErrors(archive.tables).clear(name);
      await archive.queryTags.change(({ tags }) =>
        tags.filter((one) => one.tag !== name || one.status !== 'deleting'),
      );
      return { state: stateText, end: 'succeeded' };
    },
  };
}
