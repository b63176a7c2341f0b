/**
 * What each target transfer syntax cannot hold, told from attributes: written down a second time, apart
 * from the service's own table, so that a refusal without a reason shows.
 */
import type { Source } from './oracle.js';

type Limit = readonly [applies: (source: Source) => boolean, why: string];

const integers: Limit = [
  ({ pixels }) => pixels !== 'PixelData',
  'floating point pixels: no codec takes them (PS3.5 §8.2)',
];
const bits = (...allocated: readonly number[]): Limit => [
  ({ bitsAllocated }) => !allocated.includes(bitsAllocated),
  `Bits Allocated other than ${allocated.join(', ')}`,
];
const threeSamples: Limit = [
  ({ samples }) => samples !== 1 && samples !== 3,
  'neither one nor three samples per pixel',
];
const unsignedColour: Limit = [
  ({ samples, signed }) => samples === 3 && signed,
  'signed colour, which PS3.3 §C.7.6.3.1.2 does not know',
];
const native: readonly string[] = ['', '.1', '.2', '.1.99'].map((end) => `1.2.840.10008.1.2${end}`);
const transformedColour: Limit = [
  ({ samples, bitsAllocated, interpretation, syntax }) =>
    samples === 3 &&
    (bitsAllocated !== 8 ||
      interpretation === 'YBR_FULL' ||
      // A codec makes RGB of it; native samples become YBR_FULL.
      (interpretation === 'YBR_FULL_422' && native.includes(syntax))),
  'colour other than RGB of 8 bits, whose components are coded one by one',
];
const common = [integers, threeSamples, unsignedColour];

const limits: Readonly<Record<string, readonly Limit[]>> = {
  '1.2.840.10008.1.2.5': [...common, bits(8, 16, 32)],
  '1.2.840.10008.1.2.4.50': [
    ...common,
    bits(8),
    [({ bitsStored }) => bitsStored !== 8, 'Bits Stored other than 8 (PS3.5 §8.2.1)'],
    [({ signed }) => signed, 'signed samples, which its readers take for unsigned'],
    [
      ({ interpretation }) => interpretation === 'PALETTE COLOR',
      'palette indices, which are other colours when they change a little',
    ],
    [
      ({ rows, columns }) => rows * columns < 64,
      'fewer than 64 pixels, for which the codec has no room',
    ],
  ],
  '1.2.840.10008.1.2.4.70': [...common, bits(8, 16)],
  '1.2.840.10008.1.2.4.80': [...common, bits(8, 16)],
  '1.2.840.10008.1.2.4.90': [...common, bits(8, 16)],
  '1.2.840.10008.1.2.4.201': [...common, bits(8, 16)],
  '1.2.840.10008.1.2.4.202': [...common, bits(8, 16), transformedColour],
  '1.2.840.10008.1.2.4.203': [...common, bits(8, 16)],
};

/** Why a file cannot be had in a transfer syntax; `undefined` when nothing speaks against it. */
export function whyImpossible(source: Source, target: string): string | undefined {
  return limits[target]?.find(([applies]) => applies(source))?.[1];
}
