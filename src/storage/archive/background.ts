/** Work of an archive that goes on behind answers, and its waits, until the archive is closed. */
import type { Runtime } from '../runtime.js';

export class Background {
  readonly #runtime: Runtime;
  readonly #work = new Set<Promise<void>>();
  /** Ends the waits of work that is in no hurry; none are begun while the archive is being closed. */
  readonly #waits = new Set<() => void>();
  #isClosing = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Lets work go on behind the answer. What fails here is found again by the store check. */
  run(work: Promise<unknown>): void {
    const settled: Promise<void> = work.then(
      () => undefined,
      () => undefined,
    );
    this.#work.add(settled);
    void settled.then(() => this.#work.delete(settled));
  }

  /** Waits, but not while the archive is being closed. */
  async pause(milliseconds: number): Promise<void> {
    if (this.#isClosing) return;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    this.#waits.add(end);
    await Promise.race([this.#runtime.rest(milliseconds), ended]);
    this.#waits.delete(end);
  }

  /** Resolves when all work has settled, and then what `last` does; nothing waits until then. */
  async close(last: () => Promise<void>): Promise<void> {
    this.#isClosing = true;
    for (const end of this.#waits) end();
    while (this.#work.size > 0) await Promise.all(this.#work);
    await last();
    this.#isClosing = false;
  }
}
