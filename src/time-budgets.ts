/**
 * The time-outs of the service and of what it stands between: one table, whose rows must fit each other
 * (`test/time-budgets.test.ts`).
 */

const second = 1000;
const minute = 60 * second;

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
  /** The import of one message of the queue. */
  import: 27 * minute,
  /** One run of the sweep. */
  sweep: 3 * minute,
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
} as const;

/** The table, or another in its place for tests. */
export type TimeBudgets = Readonly<Record<keyof typeof timeBudgets, number>>;
