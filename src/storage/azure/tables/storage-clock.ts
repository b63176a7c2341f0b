/**
 * What time it is in the storage account, told from the `Date` of its answers and from what has passed
 * since: clocks of processes differ, and may be set, that of the account is one for all.
 */
import type { CallPolicy } from '../call-policies.js';

/** `Date` has whole seconds: an answer that is further behind says that the clock was set back. */
const setBackMilliseconds = 2000;

export class StorageClock {
  /** From the clock of this process that only ever advances to that of storage. */
  #offset: number | undefined;

  /** Hears the `Date` of an answer. */
  hear(date: string | undefined): void {
    const offset = Date.parse(date ?? '') - performance.now();
    if (Number.isNaN(offset)) return;
    const known = this.#offset;
    if (known === undefined || offset > known || known - offset > setBackMilliseconds) {
      this.#offset = offset;
    }
  }

  /** Milliseconds since 1970; by the clock of this process until storage has been heard. */
  now(): number {
    return this.#offset === undefined ? Date.now() : this.#offset + performance.now();
  }
}

/** Lets a clock hear every answer. */
export function tableClockPolicy(clock: StorageClock): CallPolicy {
  return {
    name: 'tableClockPolicy',
    sendRequest: (request, next) =>
      next(request).then((response) => {
        clock.hear(response.headers.get('date'));
        return response;
      }),
  };
}
