/** Sends a request again while the service is busy or away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceUnreachable } from './dicomweb-client.js';

const busy = new Set([408, 429, 502, 503, 504]);

/** What is looked at of an answer to know whether the request is sent again. */
export interface Answered {
  readonly status: number;
  /** Seconds; 0 when the service does not say. */
  readonly retryAfter: number;
}

/** Why a request had no answer. */
export function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

/** Seconds that a service asks to wait for. */
export function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) ? seconds : 0;
}

/**
 * Sends a request until the service has an answer to it, whatever that is.
 *
 * @param pauses - milliseconds before each further attempt.
 * @throws ServiceUnreachable when the service stays away or busy.
 */
export async function sendWithRetries<Answer extends Answered>(
  url: string,
  pauses: readonly number[],
  send: () => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 0; ; attempt += 1) {
    let why: string;
    let wait = pauses[attempt];
    try {
      const answer = await send();
      if (!busy.has(answer.status)) return answer;
      why = `answers ${answer.status}`;
      if (wait !== undefined) wait = Math.max(wait, answer.retryAfter * 1000);
    } catch (error) {
      why = `does not answer: ${causeOf(error)}`;
    }
    if (wait === undefined) throw new ServiceUnreachable(`${new URL(url).origin} ${why}`);
    await sleep(wait);
  }
}
