/** One call to the storage service, as reported to whoever counts them: tests of call budgets. */

/** What a call does, in the words of the ports. */
export type StorageOperation =
  | 'get'
  | 'query'
  | 'scan'
  | 'transact'
  | 'put'
  | 'put-block'
  | 'commit-blocks'
  | 'list'
  | 'delete'
  | 'check'
  | 'create';

export interface StorageCall {
  readonly service: 'blob' | 'table';
  /** HTTP method. */
  readonly method: string;
  readonly operation: StorageOperation;
  /** Table or container, as named by the port; empty when the call concerns the whole account. */
  readonly target: string;
}

/** Hears of every call before it is sent; retries of the same call are not told apart. */
export type OnStorageCall = (call: StorageCall) => void;
