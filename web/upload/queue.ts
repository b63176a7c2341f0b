/**
 * The files that are being stored. Tens of thousands may wait: they stand in a plain array, a few are
 * sent at a time, and what is shown is brought up to date once a frame.
 */
import { signal } from '@preact/signals';
import { isAbort, messageOf } from '../api/client.js';
import { reload } from '../list/list-state.js';
import { text } from '../text.js';
import type { FoundFile } from './collect-files.js';
import { isDicom } from './is-dicom.js';
import { fingerprintOf, rememberStored, wasStored } from './ledger.js';
import { directUploadBytes } from '../settings.js';
import { sendFile } from './send-file.js';
import { sendLargeFile } from './send-large-file.js';
import { forgetUnfinished, noteLeft, unfinished } from './unfinished.js';

export type ItemState = keyof typeof text.upload.states;

export interface Item {
  readonly path: string;
  readonly file: File;
  readonly fingerprint: string;
  state: ItemState;
  /** Why, where it was not stored. */
  why: string;
  sent: number;
}

export interface Summary {
  readonly counts: Readonly<Record<ItemState, number>>;
  readonly files: number;
  readonly bytes: number;
  readonly sent: number;
  /** Bytes per second, lately. */
  readonly rate: number;
  /** Files that were found and are still looked at. */
  readonly looking: number;
}

const atOnce = 4;
const noCounts = Object.fromEntries(
  Object.keys(text.upload.states).map((state) => [state, 0]),
) as Record<ItemState, number>;

let items: Item[] = [];
let looking = 0;
let active = 0;
/** Index below which nothing waits. */
let cursor = 0;
let controller = new AbortController();
/** Times and bytes of late, for the rate. */
let samples: { readonly at: number; readonly sent: number }[] = [];

export const summary = signal<Summary>({
  counts: noCounts,
  files: 0,
  bytes: 0,
  sent: 0,
  rate: 0,
  looking: 0,
});

/** Every item, for the list; read it when {@link summary} has changed. */
export function allItems(): readonly Item[] {
  return items;
}

let frame: number | undefined;

function changed(): void {
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    summarise();
  });
}

const counted: readonly ItemState[] = ['stored', 'duplicate', 'refused'];

function summarise(): void {
  const counts = { ...noCounts };
  let bytes = 0;
  let sent = 0;
  for (const { state, file, sent: ofItem } of items) {
    counts[state] += 1;
    if (state === 'skipped' || state === 'cancelled') continue;
    bytes += file.size;
    sent += counted.includes(state) ? file.size : ofItem;
  }
  const now = performance.now();
  samples = [...samples.filter(({ at }) => now - at < 5000), { at: now, sent }];
  const [oldest] = samples;
  const seconds = oldest === undefined ? 0 : (now - oldest.at) / 1000;
  const rate = seconds > 0.2 && oldest !== undefined ? (sent - oldest.sent) / seconds : 0;
  summary.value = { counts, files: items.length, bytes, sent, rate: Math.max(0, rate), looking };
}

async function send(item: Item): Promise<void> {
  item.state = 'sending';
  const { signal: abort } = controller;
  try {
    const onProgress = (bytes: number) => {
      item.sent = Math.min(bytes, item.file.size);
      changed();
    };
    const isLarge = item.file.size > (directUploadBytes() ?? Infinity);
    const direct = isLarge
      ? await sendLargeFile(item.file, item.fingerprint, onProgress, abort)
      : undefined;
    const result = direct ?? (await sendFile(item.file, onProgress, abort));
    item.state = result.outcome;
    item.why = 'why' in result ? result.why : '';
    if (result.outcome === 'stored' || result.outcome === 'duplicate') {
      rememberStored(item.fingerprint);
    }
  } catch (error) {
    item.state = isAbort(error) ? 'cancelled' : 'failed';
    item.why = isAbort(error) ? '' : messageOf(error);
  }
}

function next(): Item | undefined {
  while (cursor < items.length) {
    const item = items[cursor];
    cursor += 1;
    if (item?.state === 'waiting') return item;
  }
  return undefined;
}

/** Files that a reload would leave behind. */
function left(): number {
  const states: readonly ItemState[] = ['waiting', 'sending', 'failed'];
  return looking + items.filter(({ state }) => states.includes(state)).length;
}

addEventListener('pagehide', () => noteLeft(left()));
addEventListener('beforeunload', (event) => {
  if (active > 0) event.preventDefault();
});

function pump(): void {
  while (active < atOnce) {
    const item = next();
    if (item === undefined) break;
    active += 1;
    void send(item).finally(() => {
      active -= 1;
      changed();
      pump();
      if (active > 0 || looking > 0) return;
      if (left() === 0) forgetUnfinished();
      reload();
    });
  }
  changed();
}

/** Looks through files and sends those that are DICOM. */
export async function addFiles(found: AsyncIterable<FoundFile>): Promise<void> {
  const { signal: abort } = controller;
  unfinished.value = undefined;
  for await (const { path, file } of found) {
    if (abort.aborted) return;
    looking += 1;
    changed();
    const fingerprint = await fingerprintOf(path, file);
    const isGood = await isDicom(file).catch(() => false);
    looking -= 1;
    const before = isGood && wasStored(fingerprint);
    items.push({
      path,
      file,
      fingerprint,
      state: before ? 'duplicate' : isGood ? 'waiting' : 'skipped',
      why: before ? text.upload.before : '',
      sent: 0,
    });
    pump();
  }
  changed();
}

/** Stops what is under way and what waits. */
export function cancel(): void {
  controller.abort();
  controller = new AbortController();
  for (const item of items) if (item.state === 'waiting') item.state = 'cancelled';
  changed();
}

/** Sends again what failed or was cancelled. */
export function retry(): void {
  for (const item of items) {
    if (item.state !== 'failed' && item.state !== 'cancelled') continue;
    item.state = 'waiting';
    item.why = '';
    item.sent = 0;
  }
  cursor = 0;
  pump();
}

/** Empties the list; what is under way is given up. */
export function clear(): void {
  cancel();
  forgetUnfinished();
  items = [];
  cursor = 0;
  samples = [];
  changed();
}
