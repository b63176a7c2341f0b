/** The settings of the process, for those who run it: what is secret is not among them. */
import { jsonReply } from '../../http/reply.js';
import { jsonOffers } from '../negotiation.js';
import { answering } from '../route.js';

/** A setting as it may be told. */
export interface ShownSetting {
  /** The environment variable, an app setting in Azure. */
  readonly name: string;
  readonly description: string;
  /** What holds, set or by default; `null` for none, and for a secret one. */
  readonly value: string | number | boolean | null;
  /** Whether it was set. */
  readonly isSet: boolean;
  /** Whether its value is kept back. */
  readonly isSecret: boolean;
}

/** `GET configuration`: every setting, with its value unless that is secret. Costs no call. */
export const readConfiguration = answering({ answers: jsonOffers }, async ({ services }) => {
  const answer = jsonReply(services.configuration, { headers: { 'Cache-Control': 'no-store' } });
  return await Promise.resolve(answer);
});
