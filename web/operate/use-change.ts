/** Changing one of the things that a card lists: asks first where that matters, says what went wrong, and lists anew. */
import { useState } from 'preact/hooks';
import { messageOf, request } from '../api/client.js';

interface ListChange {
  /** What went wrong with the last one. */
  readonly problem: string | undefined;
  /** Sends a change; answers whether it was made. */
  readonly change: (path: string, init: RequestInit) => Promise<boolean>;
  /** Removes something, if the question is answered with yes. */
  readonly remove: (path: string, question: string) => Promise<void>;
}

/** @param reload - lists anew. */
export function useChange(reload: () => void): ListChange {
  const [problem, setProblem] = useState<string>();
  const change = async (path: string, init: RequestInit) => {
    try {
      await request(path, init);
      setProblem(undefined);
      return true;
    } catch (error) {
      setProblem(messageOf(error));
      return false;
    } finally {
      reload();
    }
  };
  const remove = async (path: string, question: string) => {
    if (confirm(question)) await change(path, { method: 'DELETE' });
  };
  return { problem, change, remove };
}
