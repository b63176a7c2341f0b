/** Someone who sends requests, as a token tells of them. */
import type { Grants } from './roles.js';

export interface Principal {
  readonly grants: Grants;
  /** Of the user or service principal in the tenant; unknown where no token is asked for. */
  readonly objectId?: string;
  /** Client id of the app that sends the request. */
  readonly appId?: string;
}
