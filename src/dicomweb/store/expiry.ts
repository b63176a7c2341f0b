/** The expiry that a store asks for, by the headers of the managed service of Azure Health Data Services. */
import type { StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { RequestContext } from '../route.js';

export const expiryHeaders = {
  time: 'msdicom-expiry-time-milliseconds',
  option: 'msdicom-expiry-option',
  level: 'msdicom-expiry-level',
} as const;

/** A hundred years. */
const longestMilliseconds = 100 * 366 * 24 * 60 * 60_000;

function invalid(parameter: string, text: string): ServiceError {
  return new ServiceError('invalid-header', text, { parameter });
}

/**
 * Milliseconds after which the studies of a request expire; `undefined` when it does not say.
 *
 * @throws ServiceError `invalid-header` for a time that is no whole number above 0, and for another option or level.
 */
export function expiryOf({ headers }: RequestContext['request']): number | undefined {
  const [time, option, level] = [expiryHeaders.time, expiryHeaders.option, expiryHeaders.level].map(
    (name) => headers.get(name)?.trim() ?? undefined,
  );
  if (time === undefined) {
    if (option === undefined && level === undefined) return undefined;
    throw invalid(expiryHeaders.time, `The header ${expiryHeaders.time} is missing.`);
  }
  const milliseconds = /^\d{1,16}$/.test(time) ? Number(time) : 0;
  if (milliseconds < 1 || milliseconds > longestMilliseconds) {
    throw invalid(
      expiryHeaders.time,
      `The header ${expiryHeaders.time} must be a whole number from 1 to ${longestMilliseconds}.`,
    );
  }
  if (option !== undefined && option.toLowerCase() !== 'relativetonow') {
    throw invalid(
      expiryHeaders.option,
      `The header ${expiryHeaders.option} must be RelativeToNow.`,
    );
  }
  if (level !== undefined && level.toLowerCase() !== 'study') {
    throw invalid(expiryHeaders.level, `The header ${expiryHeaders.level} must be Study.`);
  }
  return milliseconds;
}

/** What a store does for the expiry of its studies: before it commits, and when it has. */
export interface Expiring {
  /** Nothing that is about to be committed may be deleted by an end that was set before. */
  before(studies: ReadonlySet<StudyInstanceUID>): Promise<void>;
  /** The end that was asked for, of what was stored. */
  after(studies: ReadonlySet<StudyInstanceUID>): Promise<void>;
}

const nothing = async (): Promise<void> => await Promise.resolve();
const asksForNone: Expiring = { before: nothing, after: nothing };

/** The expiry of a request; does nothing, and costs nothing, when it asks for none. */
export function expiringOf(context: RequestContext): Expiring {
  const milliseconds = expiryOf(context.request);
  const { services, partition } = context;
  const { archive, expiry } = services;
  if (milliseconds === undefined) return asksForNone;
  const due = archive.tables.now() + milliseconds;
  const forEach = async (
    studies: ReadonlySet<StudyInstanceUID>,
    work: (study: StudyInstanceUID) => Promise<void>,
  ): Promise<void> => {
    await Promise.all([...studies].map(work));
  };
  return {
    before: async (studies) =>
      await forEach(studies, async (study) => await expiry.postpone({ partition, study, due })),
    after: async (studies) =>
      await forEach(studies, async (study) => {
        const { record } = await archive.catalog.studyRow(partition, study);
        if (record === undefined) return;
        await expiry.set({ partition, study, due, created: record.created });
      }),
  };
}
