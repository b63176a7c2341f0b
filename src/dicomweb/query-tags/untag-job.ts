/**
 * Removing a query tag as a job: first a cut in the log, behind which no store indexes it; then its values and rows
 * in every partition, its errors, and at last the tag itself.
 */
import type { Tag } from '../../dicom/tag.js';
import { isHeld, parseJobId, type Job } from '../../jobs/job.js';
import type { EnsureHeld, JobKind, Slice } from '../../jobs/jobs.js';
import type { Archive } from '../../storage/archive/archive.js';
import { TagErrors } from '../../storage/archive/tagging/tag-errors.js';
import type { PartitionRegistry } from '../../storage/partition-registry.js';
import { systemRuntime, type Runtime } from '../../storage/runtime.js';
import type { ReindexState } from './reindex-job.js';

export interface UntagInput {
  readonly tag: Tag;
  /** The job that was adding it. */
  readonly indexedBy?: string;
  /** One that was to remove it and was canceled, or has failed. */
  readonly after?: string;
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

  /** A job whose slice is under way, also when it was canceled meanwhile. */
  async function heldJob(text: string | undefined): Promise<Job | undefined> {
    const id = parseJobId(text ?? '');
    const job = id && (await findJob(id));
    return job && isHeld(job, now()) ? job : undefined;
  }

  /** Whether a slice that began before the tag was on its way out may still be writing or removing rows for it. */
  async function isInTheWay({ indexedBy, after }: UntagInput, version: number): Promise<boolean> {
    const indexing = await heldJob(indexedBy);
    if (indexing && (JSON.parse(indexing.state) as ReindexState).seen < version) return true;
    return (await heldJob(after)) !== undefined;
  }

  /** @returns whether the cut is made. */
  async function begin(
    input: UntagInput,
    version: number,
    ensureHeld: EnsureHeld,
  ): Promise<boolean> {
    for (let waits = 0; await isInTheWay(input, version); waits++) {
      ensureHeld();
      if (waits === mostWaits) return false;
      await runtime.rest(waitMilliseconds);
    }
    await archive.tagIndexer.cut(version);
    return true;
  }

  return {
    async slice(inputText, stateText, _id, _failures, ensureHeld): Promise<Slice> {
      const input = JSON.parse(inputText) as UntagInput;
      const name = input.tag;
      const state = JSON.parse(stateText) as UntagState;
      const list = await archive.queryTags.read();
      const tag = list.tags.find((one) => one.tag === name && one.status === 'deleting');
      if (tag === undefined) return { state: stateText, end: 'succeeded' };
      if (state.partition === 0) {
        const isMade = await begin(input, list.version, ensureHeld);
        return { state: JSON.stringify({ partition: isMade ? 1 : 0 }) };
      }
      const [partition] = (await partitions.list()).filter(({ key }) => key >= state.partition);
      if (partition !== undefined) {
        const isClear = await archive.tagIndexer.remove(partition.name, tag, sliceRows, ensureHeld);
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
