/** Watches for the UIDs that name an instance, as its data set streams past. */
import type { RawIdentity } from './scan.js';

const identityTags: ReadonlyMap<string, keyof RawIdentity> = new Map([
  ['00080016', 'sopClass'],
  ['00080018', 'instance'],
  ['0020000D', 'study'],
  ['0020000E', 'series'],
]);
const lastIdentityTag = '0020000E';

/** The four UIDs of one data set, which come early in it: an upload is routed before it is whole. */
export class IdentityWatch {
  readonly uids: RawIdentity = {};
  private passed = false;

  /** Whether `uids` will not change any more, in a data set whose elements are in order (PS3.5 §7.1). */
  get isComplete(): boolean {
    return this.passed || Object.keys(this.uids).length === identityTags.size;
  }

  /** Notes that an element of the data set has come, which items are no part of. */
  pass(tag: string): void {
    if (tag > lastIdentityTag) this.passed = true;
  }

  /** Notes that the data set has ended. */
  end(): void {
    this.passed = true;
  }

  /** Which of the UIDs an element of the data set holds; `undefined` for any other element. */
  nameOf(tag: string): keyof RawIdentity | undefined {
    return identityTags.get(tag);
  }
}
