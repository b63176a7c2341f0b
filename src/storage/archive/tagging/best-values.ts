/** The newest values of query tags among the instances of a study that were looked at so far. */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Element } from '../../../dicom/data-set.js';
import type { SeriesInstanceUID } from '../../../dicom/uid.js';
import type { Tag } from '../../../dicom/tag.js';

/** Per tag the value, and the sequence of the instance that has it. */
type Values = Record<Tag, readonly [sequence: number, element: Element]>;

export class BestValues {
  readonly #study: Values;
  readonly #series: Map<SeriesInstanceUID, Values>;

  private constructor(study: Values, series: Map<SeriesInstanceUID, Values>) {
    this.#study = study;
    this.#series = series;
  }

  /** @param text - what `encode` made, when a study is gone on with. */
  static from(text?: string): BestValues {
    if (text === undefined) return new BestValues({}, new Map());
    const json = gunzipSync(Buffer.from(text, 'base64')).toString();
    const [study, series] = JSON.parse(json) as [Values, [SeriesInstanceUID, Values][]];
    return new BestValues(study, new Map(series));
  }

  encode(): string {
    return gzipSync(JSON.stringify([this.#study, [...this.#series]])).toString('base64');
  }

  /** An instance of a series is looked at. */
  enter(series: SeriesInstanceUID): void {
    if (!this.#series.has(series)) this.#series.set(series, {});
  }

  /** An instance has a value, which counts if no newer one has. */
  offer(level: 'study' | 'series', series: SeriesInstanceUID, tag: Tag, value: Values[Tag]): void {
    const values = level === 'study' ? this.#study : (this.#series.get(series) ?? {});
    const known = values[tag];
    if (known === undefined || known[0] < value[0]) values[tag] = value;
  }

  /** The value for the study, or for one of its series. */
  valueOf(tag: Tag, series?: SeriesInstanceUID): Element | undefined {
    const values = series === undefined ? this.#study : this.#series.get(series);
    return values?.[tag]?.[1];
  }

  /** The series that were entered. */
  get series(): readonly SeriesInstanceUID[] {
    return [...this.#series.keys()];
  }

  /** Forgets series that are done with. */
  leave(series: Iterable<SeriesInstanceUID>): void {
    for (const uid of series) this.#series.delete(uid);
  }
}
