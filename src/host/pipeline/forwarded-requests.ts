/**
 * Requests that the Functions host forwards to its worker, and the invocations that they belong to.
 * Either may come first, and one may come without the other; nobody waits for ever.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request on the worker's own HTTP server, not answered yet. */
export interface Forwarded {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
}

/** The header by which the host names the invocation of a forwarded request. */
export const invocationHeader = 'x-ms-invocation-id';

interface Arrival {
  readonly forwarded: Forwarded;
  readonly forget: () => void;
}

interface Waiter {
  readonly resolve: (forwarded: Forwarded) => void;
}

/** Lists by key; a key without entries takes no room. */
class Queues<Value> {
  readonly #lists = new Map<string, Value[]>();

  add(key: string, value: Value): void {
    const list = this.#lists.get(key);
    if (list === undefined) this.#lists.set(key, [value]);
    else list.push(value);
  }

  /** The oldest under a key. */
  first(key: string): Value | undefined {
    return this.#lists.get(key)?.[0];
  }

  remove(key: string, value: Value): void {
    const rest = this.#lists.get(key)?.filter((one) => one !== value) ?? [];
    if (rest.length === 0) this.#lists.delete(key);
    else this.#lists.set(key, rest);
  }

  get size(): number {
    return this.#lists.size;
  }
}

/** Brings forwarded requests and invocations together, by the invocation id. */
export class ForwardedRequests {
  readonly #waitMilliseconds: () => number;
  readonly #unclaimed: (forwarded: Forwarded) => void;
  readonly #arrived = new Queues<Arrival>();
  readonly #waiters = new Queues<Waiter>();

  /**
   * @param waitMilliseconds how long one of the two waits for the other.
   * @param unclaimed is given requests for which no invocation came.
   */
  constructor(waitMilliseconds: () => number, unclaimed: (forwarded: Forwarded) => void) {
    this.#waitMilliseconds = waitMilliseconds;
    this.#unclaimed = unclaimed;
  }

  /** Ids under which something waits. */
  get waiting(): number {
    return this.#arrived.size + this.#waiters.size;
  }

  /** Takes a request that has come from the host. */
  arrive(forwarded: Forwarded): void {
    const { message, response } = forwarded;
    const given = message.headers[invocationHeader];
    const id = typeof given === 'string' ? given : '';
    const waiter = this.#waiters.first(id);
    if (waiter !== undefined) {
      waiter.resolve(forwarded);
      return;
    }
    const forget = () => {
      clearTimeout(timer);
      response.off('close', forget);
      this.#arrived.remove(id, arrival);
    };
    const arrival: Arrival = { forwarded, forget };
    this.#arrived.add(id, arrival);
    const timer = setTimeout(() => {
      forget();
      if (!response.destroyed && !response.headersSent) this.#unclaimed(forwarded);
    }, this.#waitMilliseconds()).unref();
    response.once('close', forget);
  }

  /**
   * The request of an invocation, which may still be on its way.
   *
   * @param alias the id that the client put into the request itself, which older hosts leave there.
   * @throws Error when none comes in time: the host could not forward it.
   */
  async claim(invocationId: string, alias?: string): Promise<Forwarded> {
    const ids = alias === undefined ? [invocationId] : [invocationId, alias];
    for (const id of ids) {
      const found = this.#arrived.first(id);
      if (found === undefined) continue;
      found.forget();
      return found.forwarded;
    }
    return await new Promise((resolve, reject) => {
      const forget = () => {
        clearTimeout(timer);
        for (const id of ids) this.#waiters.remove(id, waiter);
      };
      const waiter: Waiter = {
        resolve: (forwarded) => {
          forget();
          resolve(forwarded);
        },
      };
      const timer = setTimeout(() => {
        forget();
        reject(new Error('The host did not forward the request of this invocation.'));
      }, this.#waitMilliseconds()).unref();
      for (const id of ids) this.#waiters.add(id, waiter);
    });
  }
}
