/** Removing one of the things that a card lists: asks first, says what went wrong, and lists anew. */
import { useState } from 'preact/hooks';
import { messageOf, request } from '../api/client.js';

interface Removal {
  /** What went wrong with the last one. */
  readonly problem: string | undefined;
  readonly remove: (path: string) => Promise<void>;
}

/**
 * @param question - asked before anything is sent.
 * @param reload - lists anew.
 */
export function useRemoval(question: string, reload: () => void): Removal {
  const [problem, setProblem] = useState<string>();
  const remove = async (path: string) => {
    if (!confirm(question)) return;
    try {
      await request(path, { method: 'DELETE' });
      setProblem(undefined);
    } catch (error) {
      setProblem(messageOf(error));
    }
    reload();
  };
  return { problem, remove };
}
