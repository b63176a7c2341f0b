/**
 * Frames of a stack that are at hand: fetched when shown, and a few ahead in the direction of the
 * scroll; the oldest go when there are too many.
 */
import { isAbort } from '../api/client.js';
import type { StackImage } from './image.js';
import { fetchPixels, fetchPreview, hasExactPixels, type GrayPixels } from './pixels.js';

/** What is known of one frame's picture. */
export interface FramePicture {
  preview?: ImageBitmap;
  pixels?: GrayPixels;
  error?: unknown;
}

interface Entry extends FramePicture {
  readonly controller: AbortController;
}

const mostBytes = 256 * 1024 ** 2;
const ahead = 6;
const atOnce = 4;

export class FrameCache {
  readonly #path: string;
  readonly #stack: readonly StackImage[];
  readonly #changed: (index: number) => void;
  /** In order of use, oldest first. */
  readonly #entries = new Map<number, Entry>();
  #wanted: readonly number[] = [];
  #loading = 0;
  #wantsPixels = false;

  /** @param changed is told when more of a frame has come. */
  constructor(path: string, stack: readonly StackImage[], changed: (index: number) => void) {
    this.#path = path;
    this.#stack = stack;
    this.#changed = changed;
  }

  /** What there is of a frame now. */
  get(index: number): FramePicture {
    return this.#entries.get(index) ?? {};
  }

  /**
   * Says which frame is shown, in which direction the stack moves, and whether exact pixels are
   * needed; fetches what lacks.
   */
  show(index: number, direction: 1 | -1, wantsPixels: boolean): void {
    this.#wantsPixels = wantsPixels;
    this.#wanted = Array.from({ length: ahead + 1 }, (_, step) => index + step * direction).filter(
      (at) => at >= 0 && at < this.#stack.length,
    );
    for (const [at, { controller, preview, pixels }] of this.#entries) {
      const isDone = pixels !== undefined || preview !== undefined;
      if (!isDone && !this.#wanted.includes(at)) controller.abort();
    }
    this.#fill();
  }

  /** Gives up what is under way. */
  close(): void {
    this.#wanted = [];
    for (const { controller, preview } of this.#entries.values()) {
      controller.abort();
      preview?.close();
    }
    this.#entries.clear();
  }

  #lacks(index: number, image: StackImage): 'preview' | 'pixels' | undefined {
    const entry = this.#entries.get(index);
    if (entry?.error !== undefined) return undefined;
    if (entry?.pixels !== undefined) return undefined;
    if (this.#wantsPixels && hasExactPixels(image)) return 'pixels';
    return entry?.preview === undefined ? 'preview' : undefined;
  }

  readonly #underWay = new Set<number>();

  #fill(): void {
    for (const index of this.#wanted) {
      if (this.#loading >= atOnce) return;
      const image = this.#stack[index];
      if (image === undefined || this.#underWay.has(index)) continue;
      const lacking = this.#lacks(index, image);
      if (lacking !== undefined) void this.#load(index, image, lacking);
    }
    this.#evict();
  }

  async #load(index: number, image: StackImage, what: 'preview' | 'pixels'): Promise<void> {
    const before = this.#entries.get(index);
    const entry: Entry = { ...before, controller: new AbortController() };
    this.#entries.delete(index);
    this.#entries.set(index, entry);
    this.#underWay.add(index);
    this.#loading += 1;
    const { signal } = entry.controller;
    try {
      if (what === 'pixels') entry.pixels = await fetchPixels(this.#path, image, signal);
      else entry.preview = await fetchPreview(this.#path, image, signal);
    } catch (error) {
      if (!isAbort(error)) entry.error = error;
      else if (entry.preview === undefined) this.#entries.delete(index);
    } finally {
      this.#underWay.delete(index);
      this.#loading -= 1;
      this.#changed(index);
      this.#fill();
    }
  }

  #evict(): void {
    const bytesOf = (index: number) => {
      const image = this.#stack[index];
      return image === undefined ? 0 : image.rows * image.columns * 4;
    };
    let bytes = [...this.#entries.keys()].reduce((sum, index) => sum + bytesOf(index), 0);
    for (const [index, { preview }] of this.#entries) {
      if (bytes <= mostBytes) return;
      if (this.#wanted.includes(index) || this.#underWay.has(index)) continue;
      preview?.close();
      this.#entries.delete(index);
      bytes -= bytesOf(index);
    }
  }
}
