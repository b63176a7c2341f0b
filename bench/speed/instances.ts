/** Instances to measure with: CT slices of half a megabyte, whose pixels are noise made once. */
import { randomBytes } from 'node:crypto';
import { element, sampleInstance } from '../../test/support/part10-builder.js';
import { newUid } from '../large-files.js';

export const rows = 512;
export const columns = 512;

const pixels = randomBytes(rows * columns * 2);

export interface MadeInstance {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly bytes: Buffer;
}

/** A new instance of a series, 525 KB. */
export function madeInstance(study: string, number: number): MadeInstance {
  const series = `${study}.1`;
  const instance = newUid();
  const bytes = sampleInstance({
    study,
    series,
    instance,
    pixelData: { native: pixels },
    overrides: [
      element('00280010', 'US', rows),
      element('00280011', 'US', columns),
      element('00200013', 'IS', number),
    ],
  });
  return { study, series, instance, bytes };
}

/** New instances of one new series. */
export function madeSeries(count: number): readonly MadeInstance[] {
  const study = newUid();
  return Array.from({ length: count }, (_, number) => madeInstance(study, number + 1));
}

export function pathOf({ study, series, instance }: MadeInstance): string {
  return `/studies/${study}/series/${series}/instances/${instance}`;
}

const boundary = 'speed-benchmark';

/** A STOW-RS request (PS3.18 §10.5) with these instances. */
export function storeRequest(instances: readonly MadeInstance[]) {
  const head = Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
  const gap = Buffer.from('\r\n');
  return {
    method: 'POST',
    path: '/studies',
    headers: {
      Accept: 'application/dicom+json',
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
    },
    body: [...instances.flatMap(({ bytes }) => [head, bytes, gap]), Buffer.from(`--${boundary}--`)],
  };
}
