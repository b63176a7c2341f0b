/**
 * A request body that may be left unread. An answer can come before the body has been read (413, 401),
 * and a client still sending would never see it if the connection closed at once. Of a client that
 * was let in the rest is read and thrown away, up to a bound. Of one that was refused before anyone asked for
 * its body less is read, and then its connection is closed.
 */

/** Bytes thrown away for the sake of a client that goes on sending after its answer. */
const discardedBytes = 64 * 1024 ** 2;
/**
 * The same when nobody had asked for the body. More than the buffers between us and a client hold: one
 * that has sent all it had may use the connection again, so that must stay open.
 */
const unaskedBytes = 16 * 1024 ** 2;
/** Time for a client whose body is not read to see why, before its connection is closed. */
const lingerMilliseconds = 1000;

export interface Upload {
  /** The body. Cancelling it discards the rest. */
  readonly body: ReadableStream<Uint8Array>;
  /** Reads what is left and throws it away; closes the source beyond the bound. */
  readonly discard: () => void;
}

/** Makes an upload of the chunks of a body; `close` ends the connection. */
export function createUpload(
  chunks: AsyncIterator<Uint8Array, undefined>,
  close: () => void,
): Upload {
  let discarding = false;
  let asked = false;

  async function drain(): Promise<void> {
    for (let left = asked ? discardedBytes : unaskedBytes; left > 0;) {
      const { done, value } = await chunks.next();
      if (done === true) return;
      left -= value.byteLength;
    }
    if (asked) close();
    else setTimeout(close, lingerMilliseconds).unref();
  }

  const discard = () => {
    if (discarding) return;
    discarding = true;
    // A client that goes meanwhile is none of our business any more.
    drain().catch(() => undefined);
  };

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        asked = true;
        const { done, value } = await chunks.next();
        if (discarding) return;
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: discard,
    },
    { highWaterMark: 0 },
  );
  return { body, discard };
}
