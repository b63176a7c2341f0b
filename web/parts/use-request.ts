/** What a component has asked the service for: on its way, there, or failed. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { isAbort, messageOf } from '../api/client.js';

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string };

/**
 * Loads something when the component appears and whenever `key` changes; what is under way is aborted
 * when it is not needed any more. What is there stays until the same, asked for again, has come.
 *
 * @returns what came of it, and a function that asks again.
 */
export function useRequest<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): readonly [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const shown = useRef(key);
  useEffect(() => {
    const controller = new AbortController();
    const isAgain = shown.current === key;
    shown.current = key;
    setLoaded((before) => (isAgain && before.state === 'there' ? before : { state: 'loading' }));
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setLoaded({ state: 'there', value });
      },
      (error: unknown) => {
        if (!isAbort(error)) setLoaded({ state: 'failed', message: messageOf(error) });
      },
    );
    return () => controller.abort();
    // `load` belongs to `key`: it asks for what the key names.
  }, [key, attempt]);
  const again = useCallback(() => setAttempt((before) => before + 1), []);
  return [loaded, again];
}

const everyMilliseconds = 3000;

/** Asks again every few seconds, as long as what came of it says that something goes on. */
export function useFollowing<T>(
  loaded: Loaded<T>,
  again: () => void,
  goesOn: (value: T) => boolean,
): void {
  useEffect(() => {
    if (loaded.state !== 'there' || !goesOn(loaded.value)) return undefined;
    const timer = setTimeout(again, everyMilliseconds);
    return () => clearTimeout(timer);
  }, [loaded]);
}
