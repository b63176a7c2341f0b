/**
 * The log: one JSON line per request and one per fault, on stdout, where Azure collects it; on a terminal
 * lines for people. Never
 * patient data and never a token: of URLs only UIDs are written, of headers only those for the
 * audit, and nothing of bodies.
 */
import type { Route } from '../../dicomweb/route.js';
import { codeOf, statusOf } from '../../storage/azure/translate-error.js';
import type { SharedResource } from '../../storage/share-registry.js';
import type { Caller, StoredNote } from './audit.js';

/** How the body of a response ended. */
export type Outcome = 'complete' | 'aborted' | 'failed';

/** One request, for access log, audit and metrics in one; written when its response has gone out. */
export interface AccessEntry {
  readonly event: 'request';
  readonly requestId: string;
  /** The trace of the caller: the operation id of Application Insights. */
  readonly traceId?: string;
  readonly route: string;
  readonly method: string;
  readonly profile: string;
  /** What the caller had to be allowed to do. */
  readonly permission?: Route['permission'];
  /** Who, when a token was read. */
  readonly caller?: Caller;
  /** Id of the link that the request came with, or is about. */
  readonly share?: string;
  /** What a new link is to. */
  readonly shared?: SharedResource;
  /** The partition that the caller was let into. */
  readonly partition?: string;
  /** UIDs in the path. */
  readonly uids?: Readonly<Record<string, string>>;
  readonly stored?: StoredNote;
  /** Id of the operation that was begun to update studies, and their UIDs. */
  readonly operation?: string;
  readonly updates?: readonly string[];
  /** The caller's own additions. */
  readonly audit?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Why it was abandoned, if it was. */
  readonly code?: string;
  readonly outcome: Outcome;
  /** Bytes of the request body that were read. */
  readonly bytesIn: number;
  /** Bytes of the response body that were sent. */
  readonly bytesOut: number;
  /** Calls to storage that the request caused. */
  readonly storageCalls: number;
  readonly milliseconds: number;
}

/** One fault of ours, or of what stands behind us. */
export interface FaultEntry {
  readonly event: 'fault';
  readonly requestId: string;
  readonly route: string;
  /** Stacks of the error and its causes. */
  readonly error: string;
}

/** Something about the process. */
export interface NoticeEntry {
  readonly event: 'notice';
  readonly message: string;
}

export type LogEntry = AccessEntry | FaultEntry | NoticeEntry;
export type Log = (entry: LogEntry) => void;

/** An entry in a line for whoever sits before a terminal. */
export function lineForPeople(entry: LogEntry): string {
  switch (entry.event) {
    case 'request': {
      const { method, route, status, code, outcome, milliseconds, bytesIn, bytesOut } = entry;
      const why = code === undefined ? '' : ` ${code}`;
      const end = outcome === 'complete' ? '' : ` (${outcome})`;
      return `${status} ${method} ${route}${why}${end}, ${milliseconds} ms, ${bytesIn} bytes in, ${bytesOut} out`;
    }
    case 'fault':
      return `FAULT in ${entry.route}, request ${entry.requestId}: ${entry.error}`;
    case 'notice':
      return entry.message;
  }
}

/** Writes entries for whoever sits before a terminal: the time of day, and a line. */
export const logForPeople: Log = (entry) => {
  console.log(`${new Date().toTimeString().slice(0, 8)}  ${lineForPeople(entry)}`);
};

/**
 * Writes entries as JSON lines, each at once and by itself: what was answered is in the audit even if the process
 * is killed in the next moment, and a query finds one entry in a row.
 */
export const logToConsole: Log = (entry) => {
  // `console.log` takes twice as long. As with it, a process whose log nobody reads any more ends.
  // An entry has an event at least: the time goes before it.
  process.stdout.write(`{"time":"${new Date().toISOString()}",${JSON.stringify(entry).slice(1)}\n`);
};

/** Errors whose messages are texts of others, which may quote keys, values and addresses. */
const quoting: ReadonlySet<string> = new Set(['RestError', 'SyntaxError']);

/** The stack of an error; of what quotes others its name, status and code stand for the message. */
function stackOf(error: Error): string {
  if (!quoting.has(error.name)) return error.stack ?? error.message;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^ {4}at /.test(line));
  const facts = [error.name, statusOf(error), codeOf(error)].filter((fact) => (fact ?? '') !== '');
  return [facts.join(' '), ...frames].join('\n');
}

/**
 * The stacks of an error and of its causes, outermost first. Of an error of storage its code is told and
 * not its text.
 */
export function describeError(error: unknown): string {
  const stacks: string[] = [];
  for (let current = error; current !== undefined && stacks.length < 5;) {
    if (!(current instanceof Error)) {
      stacks.push(typeof current === 'string' ? current : `a thrown ${typeof current}`);
      break;
    }
    stacks.push(stackOf(current));
    current = current.cause;
  }
  return stacks.join('\ncaused by ');
}
