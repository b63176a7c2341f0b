/** What a component has asked the service for: on its way, there, or failed. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { isAbort, messageOf } from '../api/client.js';

export type Loaded<T> =
  | { readonly state: 'loading' }
  | { readonly state: 'there'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string };

/**
 * Loads something when the component appears and whenever `key` changes; what is under way is aborted
 * when it is not needed any more.
 *
 * @returns what came of it, and a function that tries again.
 */
export function useRequest<T>(
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): readonly [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    setLoaded({ state: 'loading' });
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
  const retry = useCallback(() => setAttempt((before) => before + 1), []);
  return [loaded, retry];
}
