/** Storage as a process sees it that dies at one of its calls. */
import { ServiceError } from '../../../src/errors.js';

/** Fails one call, and every one after it: the process has died. Every other time the call happens nevertheless. */
export class DyingStorage {
  readonly #dieAt: number;
  #calls = 0;

  /** @param dieAt - the number of the call, of all stores together, counted from 1. */
  constructor(dieAt: number) {
    this.#dieAt = dieAt;
  }

  /** A view of a store. */
  over<Store extends object>(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (name === 'now') return value.bind(target) as unknown;
        return async (...given: unknown[]) => {
          this.#calls += 1;
          if (this.#calls >= this.#dieAt) {
            if (this.#calls === this.#dieAt && this.#dieAt % 2 === 0) {
              await (value as (...a: unknown[]) => Promise<unknown>).apply(target, given);
            }
            throw new ServiceError('storage-unavailable', 'dead');
          }
          return await (value as (...a: unknown[]) => Promise<unknown>).apply(target, given);
        };
      },
    });
  }
}
