/** The channels of a waveform (PS3.3 §C.10.9), in their units. */
import { request } from '../api/client.js';
import { itemsOf, type DataSet, type Element } from '../dicom/data-set.js';

export interface Channel {
  readonly label: string;
  readonly unit: string;
  readonly samples: Float32Array;
}

export interface Waveform {
  /** Samples per second. */
  readonly frequency: number;
  readonly channels: readonly Channel[];
}

const tag = {
  channels: '003A0005',
  samples: '003A0010',
  frequency: '003A001A',
  definitions: '003A0200',
  label: '003A0203',
  source: '003A0208',
  sensitivity: '003A0210',
  units: '003A0211',
  correction: '003A0212',
  baseline: '003A0213',
  meaning: '00080104',
  code: '00080100',
  interpretation: '54001006',
  data: '54001010',
} as const;

const first = (dataSet: DataSet | undefined, key: string) => dataSet?.[key]?.Value?.[0];
const number = (dataSet: DataSet | undefined, key: string, fallback: number) => {
  const value = Number(first(dataSet, key) ?? NaN);
  return Number.isFinite(value) ? value : fallback;
};
const item = (dataSet: DataSet, key: string) => first(dataSet, key) as DataSet | undefined;
const word = (dataSet: DataSet | undefined, key: string) => {
  const value = first(dataSet, key);
  return typeof value === 'string' ? value : '';
};

async function bytesOf({ InlineBinary, BulkDataURI }: Element): Promise<ArrayBuffer> {
  if (BulkDataURI !== undefined) {
    const headers = { Accept: 'application/octet-stream' };
    return await (await request(BulkDataURI, { headers })).arrayBuffer();
  }
  const text = atob(InlineBinary ?? '');
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0)).buffer;
}

type Reader = (bytes: ArrayBuffer) => ArrayLike<number>;

/** How samples are written (0x5400,1006); μ-law and A-law sounds are not waveforms to look at. */
const readers: Readonly<Record<string, Reader>> = {
  SB: (bytes) => new Int8Array(bytes),
  UB: (bytes) => new Uint8Array(bytes),
  SS: (bytes) => new Int16Array(bytes, 0, bytes.byteLength >> 1),
  US: (bytes) => new Uint16Array(bytes, 0, bytes.byteLength >> 1),
  SL: (bytes) => new Int32Array(bytes, 0, bytes.byteLength >> 2),
  UL: (bytes) => new Uint32Array(bytes, 0, bytes.byteLength >> 2),
};

/** Reads the waveforms of an instance; groups that cannot be read are left out. */
export async function waveformsOf(instance: DataSet): Promise<readonly Waveform[]> {
  const groups = itemsOf(instance, 'WaveformSequence').map(async (group) => {
    const data = group[tag.data];
    const read = readers[word(group, tag.interpretation)];
    if (data === undefined || read === undefined) return undefined;
    const raw = read(await bytesOf(data));
    const count = number(group, tag.channels, 1);
    const length = Math.min(number(group, tag.samples, 0), Math.floor(raw.length / count));
    const definitions = (group[tag.definitions]?.Value ?? []) as readonly DataSet[];
    const channels = Array.from({ length: count }, (_, at): Channel => {
      const definition = definitions[at] ?? {};
      const source = item(definition, tag.source);
      const scale = number(definition, tag.sensitivity, 1) * number(definition, tag.correction, 1);
      const baseline = number(definition, tag.baseline, 0);
      const samples = new Float32Array(length);
      for (let time = 0; time < length; time += 1) {
        samples[time] = (raw[time * count + at] ?? 0) * scale + baseline;
      }
      const label = word(definition, tag.label) || word(source, tag.meaning) || String(at + 1);
      return { label, unit: word(item(definition, tag.units), tag.code), samples };
    });
    return { frequency: number(group, tag.frequency, 1), channels };
  });
  return (await Promise.all(groups)).filter((waveform) => waveform !== undefined);
}
