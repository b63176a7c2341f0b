/**
 * Gathers small pieces of output into chunks worth sending. What is written under a hold can be taken
 * back until the hold ends.
 */

const chunkBytes = 64 * 1024;

export class Output {
  private parts: Uint8Array[] = [];
  private size = 0;
  private heldFrom: { readonly parts: number; readonly size: number } | undefined;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.parts.push(bytes);
    this.size += bytes.length;
  }

  /** Whether it is time to send what there is. */
  get full(): boolean {
    return this.size >= chunkBytes && this.heldFrom === undefined;
  }

  /** Bytes written since `hold`; 0 without one. */
  get heldBytes(): number {
    return this.heldFrom === undefined ? 0 : this.size - this.heldFrom.size;
  }

  /** From here on nothing is sent. */
  hold(): void {
    this.heldFrom ??= { parts: this.parts.length, size: this.size };
  }

  /** Ends the hold; what was written since may be sent. */
  release(): void {
    this.heldFrom = undefined;
  }

  /** Ends the hold and forgets what was written since. */
  takeBack(): void {
    if (this.heldFrom === undefined) return;
    this.parts.length = this.heldFrom.parts;
    this.size = this.heldFrom.size;
    this.heldFrom = undefined;
  }

  /** Everything gathered, as one chunk. */
  flush(): Uint8Array {
    const [only] = this.parts;
    const chunk = this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
    this.parts = [];
    this.size = 0;
    return chunk;
  }
}
