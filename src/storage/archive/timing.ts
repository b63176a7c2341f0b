/**
 * When the archive looks after what others have left. Time decides when to look, never what is true; it is
 * told by the clock of storage.
 */
export interface ArchiveTiming {
  /** An intent that is open for so long is settled by whoever meets it. */
  readonly settleMilliseconds: number;
  /** What follows a commit is done again when its writer has not done it for so long. */
  readonly finishMilliseconds: number;
  /** Files that nobody needs stay for those who are about to read them. */
  readonly keepMilliseconds: number;
  /** What follows a commit waits for so long, and so is done once for several commits of a study. */
  readonly mergeMilliseconds: number;
}

export const defaultTiming: ArchiveTiming = {
  settleMilliseconds: 2_000,
  finishMilliseconds: 10_000,
  keepMilliseconds: 10 * 60_000,
  mergeMilliseconds: 200,
};
