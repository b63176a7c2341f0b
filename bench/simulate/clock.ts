/** Simulated time: events in order, and resources that can do only so much a second. */

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** A binary heap of events, the earliest first. */
export class Clock {
  readonly #heap: Event[] = [];
  /** Seconds since the start. */
  now = 0;

  after(seconds: number, run: () => void): void {
    const heap = this.#heap;
    let at = heap.push({ at: this.now + seconds, run }) - 1;
    for (;;) {
      const parent = (at - 1) >> 1;
      const [above, below] = [heap[parent], heap[at]];
      if (at === 0 || above === undefined || below === undefined || above.at <= below.at) return;
      [heap[parent], heap[at]] = [below, above];
      at = parent;
    }
  }

  async sleep(seconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.after(seconds, resolve);
    });
  }

  #take(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if ((heap[child]?.at ?? Infinity) < (heap[least]?.at ?? Infinity)) least = child;
      }
      const [parent, child] = [heap[at], heap[least]];
      if (least === at || parent === undefined || child === undefined) return first;
      [heap[at], heap[least]] = [child, parent];
      at = least;
    }
  }

  /** Lets time pass until then. Processes go on between events, as promises do. */
  async runUntil(end: number): Promise<void> {
    await new Promise(setImmediate);
    for (;;) {
      const event = this.#take();
      if (event === undefined) return;
      if (event.at > end) return;
      this.now = event.at;
      event.run();
      // Everything that this event has set free runs before the next one.
      await new Promise(setImmediate);
    }
  }
}

/** Something that does so many units a second, one task after another in the order of asking. */
export class Resource {
  readonly name: string;
  readonly perSecond: number;
  readonly #clock: Clock;
  #line: Promise<void> = Promise.resolve();
  #used = 0;

  constructor(clock: Clock, name: string, perSecond: number) {
    this.#clock = clock;
    this.name = name;
    this.perSecond = perSecond;
  }

  /** Waits for its turn and for the work. What that takes may depend on what was done until its turn. */
  async use(units: number | (() => number)): Promise<void> {
    this.#line = this.#line.then(async () => {
      const work = typeof units === 'number' ? units : units();
      this.#used += work;
      await this.#clock.sleep(work / this.perSecond);
    });
    await this.#line;
  }

  /** Share of what it could have done by now. */
  get utilisation(): number {
    return this.#used / (this.perSecond * this.#clock.now);
  }
}
