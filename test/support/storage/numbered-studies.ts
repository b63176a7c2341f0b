/**
 * Studies that follow from their numbers, of one series and one instance each: what a test archive of any size
 * is made of.
 */
import type { DataSet } from '../../../src/dicom/data-set.js';
import type { InstanceUids } from '../../../src/dicom/uid.js';
import { ulidOfTime, type Ulid } from '../../../src/storage/archive/ulid.js';

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Of the studies that follow each other one is stored every minute. */
const [firstStore, untilNext] = [Date.UTC(2024, 0), 60_000];

/** A ULID that counts up. */
export function ulidOf(number: number): Ulid {
  let text = '';
  for (let rest = number; rest > 0; rest = Math.floor(rest / 32)) {
    text = alphabet.charAt(rest % 32) + text;
  }
  const time = ulidOfTime(firstStore + number * untilNext).slice(0, 10);
  return (time + text.padStart(16, '0')) as Ulid;
}

export const modalities = ['CT', 'MR', 'US', 'CR', 'DX', 'MG', 'PT', 'XA'];
const syllables = [
  'an',
  'bo',
  'ci',
  'du',
  'el',
  'fa',
  'go',
  'hu',
  'im',
  'jo',
  'ka',
  'lu',
  'mo',
  'ni',
];

/** How many different family names there are. */
export const families = syllables.length ** 3;

/** Family names: 2 744 different ones, each of which begins with one of 14 syllables. */
export function familyOf(study: number): string {
  const at = (place: number) => syllables[Math.floor(study / 14 ** place) % 14] ?? '';
  return at(0) + at(1) + at(2);
}

/** How many different descriptions there are. */
export const descriptions = 50;

/** Studies of the same day, one after another. */
export const studiesPerDay = 100;

/** The day of a study: `studiesPerDay` on each from 1990-01-01 on. */
export function dateOf(study: number): string {
  const day = new Date(Date.UTC(1990, 0, 1 + Math.floor(study / studiesPerDay)));
  return day.toISOString().slice(0, 10).replaceAll('-', '');
}

/** The time of a study: those of a day come in no order. */
export function timeOf(study: number): string {
  const minutes = (study * 37) % (24 * 60);
  const [hour, minute] = [Math.floor(minutes / 60), minutes % 60];
  return `${String(hour).padStart(2, '0')}${String(minute).padStart(2, '0')}00`;
}

/** UIDs of the study with that number, of its one series and its one instance. */
export function uidsOf(study: number): InstanceUids {
  return {
    study: `1.2.840.${study}`,
    series: `1.2.840.${study}.1`,
    instance: `1.2.840.${study}.1.1`,
  } as InstanceUids;
}

/** The data set of the one instance of a study. */
export function dataSetOf(study: number): DataSet {
  const uids = uidsOf(study);
  const elements = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
    '00080018': { vr: 'UI', Value: [uids.instance] },
    '00080020': { vr: 'DA', Value: [dateOf(study)] },
    '00080030': { vr: 'TM', Value: [timeOf(study)] },
    '00080050': { vr: 'SH', Value: [`A${study}`] },
    '00080060': { vr: 'CS', Value: [modalities[study % modalities.length] ?? ''] },
    '00081030': { vr: 'LO', Value: [`Protocol ${study % descriptions}`] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: `${familyOf(study)}^Given` }] },
    '00100020': { vr: 'LO', Value: [`P${Math.floor(study / 2)}`] },
    '0020000D': { vr: 'UI', Value: [uids.study] },
    '0020000E': { vr: 'UI', Value: [uids.series] },
    '00200010': { vr: 'SH', Value: [`S${study}`] },
  };
  return elements;
}
