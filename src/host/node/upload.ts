/**
 * A request body that may be left unread. An answer can come before the body has been read (413, 401),
 * and many a client reads none while it sends: behind the Functions host none can. So what is left is
 * read and thrown away, chunk by chunk, up to the largest body that would be taken, as long as the
 * client goes on sending.
 */
import { ServiceError } from '../../errors.js';
import { timeBudgets } from '../../time-budgets.js';

/** What a client that has its answer must send in each `discardStall`. */
const discardPaceBytes = 64 * 1024;
/**
 * More than the buffers between us and a client hold: one that has sent all it had may use the connection
 * again, so that must stay open.
 */
const bufferedBytes = 16 * 1024 ** 2;
/** Time for a client whose body is not read to see why, before its connection is closed. */
const lingerMilliseconds = 1000;

export interface UploadOptions {
  /** Bytes thrown away for the sake of a client that goes on sending after its answer. */
  readonly discardBytes: number;
  /** Milliseconds from now until the last byte must have come, answered or not; no end when left out. */
  readonly totalMilliseconds?: number;
  /** Ends the reading of the body, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds a client may keep silent when it is asked for its body. */
  readonly stallMilliseconds?: number;
  /** Milliseconds in which a client that has its answer must send more. */
  readonly discardStallMilliseconds?: number;
}

export interface Upload {
  /**
   * The body. Leaving it discards the rest. It fails with the ServiceError `request-timeout` when the
   * client keeps silent.
   */
  readonly body: AsyncIterableIterator<Uint8Array>;
  /** Reads what is left and throws it away; closes the source beyond the bounds. */
  readonly discard: () => void;
}

/** Makes an upload of the chunks of a body; `close` ends the connection. */
export function receiveBody(
  chunks: AsyncIterator<Uint8Array, undefined>,
  close: () => void,
  {
    discardBytes,
    signal,
    totalMilliseconds = Number.POSITIVE_INFINITY,
    stallMilliseconds = timeBudgets.uploadStall,
    discardStallMilliseconds = timeBudgets.discardStall,
  }: UploadOptions,
): Upload {
  const lastMoment = performance.now() + totalMilliseconds;
  let discarding = false;
  /** What was asked for and has not come: a body that stalled is asked only once. */
  let pending: Promise<IteratorResult<Uint8Array, undefined>> | undefined;

  function next(): Promise<IteratorResult<Uint8Array, undefined>> {
    pending ??= chunks.next().then((result) => {
      pending = undefined;
      return result;
    });
    return pending;
  }

  const end = { done: true, value: undefined } as const;
  const isLeft = () => discarding;

  async function drain(): Promise<void> {
    let left = discardBytes + bufferedBytes;
    let leftBefore = left;
    const watch = setInterval(() => {
      const isSlow = leftBefore - left < discardPaceBytes;
      leftBefore = left;
      if (isSlow || performance.now() >= lastMoment) close();
    }, discardStallMilliseconds).unref();
    try {
      while (left > 0) {
        const { done, value } = await next();
        if (done === true) return;
        left -= value.byteLength;
      }
      setTimeout(close, lingerMilliseconds).unref();
    } finally {
      clearInterval(watch);
    }
  }

  const discard = () => {
    if (discarding) return;
    discarding = true;
    endWatch();
    // A client that goes meanwhile has its answer already.
    drain().catch(() => undefined);
  };

  /** Fails what is being waited for; what is over is not touched by it. */
  let fail: (reason: Error) => void = () => undefined;
  /** One for the whole body: it is set back with each chunk. */
  let watch: NodeJS.Timeout | undefined;

  const abandon = () => {
    fail(signal?.reason as Error);
  };
  const stall = () => {
    const message = `Nothing of the body came for ${stallMilliseconds / 1000} seconds.`;
    fail(new ServiceError('request-timeout', message));
  };

  function keepWatch(): void {
    if (watch !== undefined) {
      watch.refresh();
      return;
    }
    watch = setTimeout(stall, stallMilliseconds).unref();
    signal?.addEventListener('abort', abandon);
  }

  /** Nothing more is waited for. */
  function endWatch(): void {
    clearTimeout(watch);
    watch = undefined;
    signal?.removeEventListener('abort', abandon);
  }

  /** The next chunk, unless the client keeps silent. */
  function awaited(): Promise<IteratorResult<Uint8Array, undefined>> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      keepWatch();
      fail = (reason) => {
        endWatch();
        reject(reason);
      };
      next().then((step) => {
        if (step.done === true) endWatch();
        resolve(isLeft() ? end : step);
      }, fail);
    });
  }

  const body: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => body,
    next: () => (isLeft() ? Promise.resolve(end) : awaited()),
    async return() {
      discard();
      return await Promise.resolve(end);
    },
  };
  return { body, discard };
}
