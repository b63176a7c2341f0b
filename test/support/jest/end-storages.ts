/**
 * Ends the AsyncLocalStorages of the suites that ran before in this worker. Node 20 and 22 keep each one that has been used in a list,
 * for good, and walk over that list at every promise: with fifty of them, promises took sixty times as long.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

type Storage = AsyncLocalStorage<unknown>;

/** What the suite before has left, on the class itself, which all suites of a worker share. */
interface Watched {
  readonly used: ReadonlySet<Storage>;
  readonly restore: () => void;
}

const key = Symbol.for('dicomweb-functions: storages of a suite');
const shared = AsyncLocalStorage as { [key]?: Watched };

const before = shared[key];
before?.restore();
for (const storage of before?.used ?? []) storage.disable();

type Method = (...parameters: never[]) => unknown;

const used = new Set<Storage>();
const { prototype } = AsyncLocalStorage;
const native = new Map(
  (['run', 'enterWith'] as const).map((name) => [name, Reflect.get(prototype, name) as Method]),
);
for (const [name, method] of native) {
  const watched = new Proxy(method, {
    apply: (target, storage: Storage, parameters): unknown => {
      used.add(storage);
      return Reflect.apply(target, storage, parameters) as unknown;
    },
  });
  Reflect.set(prototype, name, watched);
}
const restore = (): void => {
  for (const [name, method] of native) Reflect.set(prototype, name, method);
};
shared[key] = { used, restore };
