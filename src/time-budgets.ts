/**
 * The times of the service and of what it stands between: one table, whose rows must fit each other
 * (`test/time-budgets.test.ts`).
 */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Milliseconds. */
export const timeBudgets = {
  /**
   * An invocation, by `functionTimeout` in host.json. The host restarts the worker of one that takes
   * longer, and with it everything else that the worker does: nothing of ours may get there.
   */
  invocation: 30 * minute,
  /** A request on the Functions host, upload and answer together; then it ends with 408, or a reset. */
  request: 27 * minute,
  /** For a handler to notice that its time is over; then it is answered for. */
  lateHandler: 30 * second,
  /** For what is left of a body when a request has had all its time. */
  lateBody: minute,
  /** A store of which nothing gets on, as others are faster or storage does not answer, is answered 503. */
  stuckRequest: 20 * second,
  /** It is told to stop then. What is being committed is waited for so long, and answered as it is. */
  stuckOutcome: 6 * second,
  /** The import of one message of the queue. */
  import: 27 * minute,
  /** One run of the sweep of the store; of its rounds one begins in so long. */
  sweep: 12 * minute,
  sweepRound: 7 * day,
  /** One run of the job that deletes what has expired. */
  expiryRun: 3 * minute,
  /** The slices of one message of the queue of jobs. */
  jobRun: 4 * minute,
  /** From one run of recovery to the next. */
  recoveryInterval: 5 * minute,
  /** How long a forwarded request and its invocation wait for each other in the worker. */
  forwarding: 10 * second,
  /** A client that sends nothing although its body is asked for. */
  uploadStall: minute,
  /** A client that takes nothing of its answer (local host; the platform has its own limit). */
  downloadStall: minute,
  /** Within which a client that has its answer must go on sending. */
  discardStall: 15 * second,
  /** The head of a request (local host). */
  head: 20 * second,
  /** A connection without a request, or after its answer. Longer than clients, proxies and the host keep theirs. */
  idleConnection: 65 * second,
  /** Until a call for a blob is answered, with its retries; a block takes its time on a slow line. */
  blobCall: minute,
  /** Until one attempt at table rows is answered: Azure itself gives up then, and leases count on it. */
  tableCall: 30 * second,
  /** A connection to storage without a call. */
  storageIdle: 30 * second,
  /** After which storage, or a gateway on the way to it, may close one; Azurite says five seconds. */
  storageServerIdle: minute,
  /** After which Azure's front end gives up on a request without an answer. */
  platformAnswer: 230 * second,
  /** After which the host's forwarder gives up on a connection without traffic. */
  platformIdle: 240 * second,

  // The archive looks after what others have left, by the clock of storage. Time decides when to look, never
  // what is true.

  /** An intent that is open for so long is settled by whoever meets it. */
  settleIntent: 2 * second,
  /** What follows a commit is done again when its writer has not done it for so long. */
  finishIntent: 10 * second,
  /** A doubt in the study list that its author has not cleared up for so long is settled by whoever meets it. */
  settleDoubt: 10 * second,
  /** What follows a commit waits for so long, and so is done once for several commits of a study. */
  mergeFollowUps: second / 5,
  /** After a failure it waits for so long, then twice and three times as long. */
  retryFollowUps: second,
  /** A process tells the log what it has done with after so long, unless it appends before. */
  closeIntents: second,
  /** Files that nobody needs stay for those who are about to read them, and void intents for their writers. */
  keepLeavings: 10 * minute,
  /** What a process knows of the rows of a study that it does not write any more. */
  keepWriter: 5 * minute,
  /** The check of the store takes an intent that is open for longer for left to itself. */
  overdueIntent: 15 * minute,
  /** Younger than this, index rows may belong to a write under way. */
  youngIndexRow: hour,
  /** Younger than this, blobs may belong to an upload under way. */
  youngBlob: day,
} as const;

/** The table, or another in its place for tests. */
export type TimeBudgets = Readonly<Record<keyof typeof timeBudgets, number>>;

/** What of them an archive goes by. */
export type ArchiveTiming = Pick<
  TimeBudgets,
  'settleIntent' | 'finishIntent' | 'mergeFollowUps' | 'keepLeavings'
>;
