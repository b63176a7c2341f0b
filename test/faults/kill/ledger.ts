/**
 * What the clients were told, and so what must be there: the memory that the service is held against.
 * Every instance has one owner among the clients, who does one thing at a time to it; so its state is
 * known, but for what went unanswered.
 */

export type Action = 'Create' | 'Update' | 'Delete';

/** SHA-256 of the file that is there; `undefined` for none. */
export type Content = string | undefined;

export interface Instance {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  content: Content;
  /** A change that was not answered: happened as a whole, or not at all. */
  inDoubt: { readonly action: Action; readonly content: Content } | undefined;
  /** Changes that happened, in order. */
  readonly history: Action[];
}

export class Ledger {
  readonly instances = new Map<string, Instance>();
  acknowledged = 0;
  refused = 0;
  unanswered = 0;

  add(uids: Pick<Instance, 'study' | 'series' | 'instance'>): Instance {
    const added = { ...uids, content: undefined, inDoubt: undefined, history: [] };
    this.instances.set(uids.instance, added);
    return added;
  }

  /** A change was answered with success. */
  acknowledge(instance: Instance, action: Action, content: Content): void {
    instance.content = content;
    instance.history.push(action);
  }

  /** A change was not answered, or with "try again": nobody knows. */
  doubt(instance: Instance, action: Action, content: Content): void {
    instance.inDoubt = { action, content };
  }

  /** What was in doubt has been looked up. */
  resolve(instance: Instance, seen: Content): void {
    const { inDoubt } = instance;
    instance.inDoubt = undefined;
    if (inDoubt === undefined || inDoubt.content !== seen) return;
    instance.content = seen;
    instance.history.push(inDoubt.action);
  }
}
