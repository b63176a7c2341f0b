/** The time that Entra ID has for a token, whatever its own client would wait for. */
import { forwardAbort } from './forward-abort.js';
import type { TokenCredential } from './connect.js';

/** A credential that is told to give up when a token is not there in time. */
export function tokensWithin(milliseconds: number, credential: TokenCredential): TokenCredential {
  return {
    async getToken(scopes, options) {
      const controller = new AbortController();
      const timer = setTimeout(() => {
        controller.abort();
      }, milliseconds);
      const signal = options?.abortSignal;
      const stop = forwardAbort(signal instanceof AbortSignal ? signal : undefined, controller);
      try {
        return await credential.getToken(scopes, { ...options, abortSignal: controller.signal });
      } finally {
        clearTimeout(timer);
        stop();
      }
    },
  };
}
