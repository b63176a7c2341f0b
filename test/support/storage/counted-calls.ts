/** Stores whose calls are counted. */
import type { BlobStore } from '../../../src/storage/blob-store.js';
import type { TableStore } from '../../../src/storage/table-store.js';

/** Counts the calls of the methods that reach storage. */
export function counted<Store extends TableStore | BlobStore>(
  store: Store,
  count: () => void,
): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...parameters: readonly unknown[]): unknown => {
        // What time it is, is known.
        if (name !== 'now') count();
        return Reflect.apply(member, target, parameters);
      };
    },
  });
}
