/**
 * The three instances of the DICOM service tutorials (blue circle, green square, red triangle), drawn
 * anew: same UIDs, same patient and same dates, so that the tutorials' requests work as written.
 */
import { drawPicture, pictureSize } from './shapes.js';
import type { Picture } from './shapes.js';
import { writePart10 } from './write-part10.js';

export interface SampleInstance {
  /** File name without extension. */
  readonly name: string;
  readonly title: string;
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly seriesNumber: number;
  readonly instanceNumber: number;
  readonly picture: Picture;
}

const root = '1.2.826.0.1.3680043.8.498';
const study = `${root}.13230779778012324449356534479549187420`;
const polygons = `${root}.45787841905473114233124723359129632652`;
const circles = `${root}.77033797676425927098669402985243398207`;

const secondaryCapture = '1.2.840.10008.5.1.4.1.1.7';

export const sampleInstances: readonly SampleInstance[] = [
  {
    name: 'green-square',
    title: 'Green Square',
    study,
    series: polygons,
    instance: `${root}.12714725698140337137334606354172323212`,
    seriesNumber: 1,
    instanceNumber: 2,
    picture: { shape: 'square', colour: [22, 163, 74], background: [226, 241, 231] },
  },
  {
    name: 'red-triangle',
    title: 'Red Triangle',
    study,
    series: polygons,
    instance: `${root}.47359123102728459884412887463296905395`,
    seriesNumber: 1,
    instanceNumber: 1,
    picture: { shape: 'triangle', colour: [220, 38, 38], background: [247, 229, 226] },
  },
  {
    name: 'blue-circle',
    title: 'Blue Circle',
    study,
    series: circles,
    instance: `${root}.13273713909719068980354078852867170114`,
    seriesNumber: 2,
    instanceNumber: 1,
    picture: { shape: 'circle', colour: [37, 99, 235], background: [225, 233, 248] },
  },
];

/** Draws one sample and wraps it as a Secondary Capture Image (PS3.3 §A.8.1). */
export function writeSample(sample: SampleInstance): Uint8Array {
  const isPolygon = sample.series === polygons;
  return writePart10([
    ['00080005', 'CS', 'ISO_IR 192'],
    ['00080008', 'CS', 'DERIVED\\SECONDARY\\OTHER'],
    ['00080016', 'UI', secondaryCapture],
    ['00080018', 'UI', sample.instance],
    ['00080020', 'DA', '20200922'],
    ['00080023', 'DA', '20200922'],
    ['00080030', 'TM', '120000'],
    ['00080033', 'TM', '120000'],
    ['00080050', 'SH', ''],
    ['00080060', 'CS', 'OT'],
    ['00080064', 'CS', 'SYN'],
    ['00080070', 'LO', ''],
    ['00080090', 'PN', 'Doctor Doc'],
    ['00081030', 'LO', 'Shapes'],
    ['0008103E', 'LO', isPolygon ? 'Polygons' : 'Circles'],
    ['00100010', 'PN', 'Anony Mous'],
    ['00100020', 'LO', 'ID1'],
    ['00100030', 'DA', ''],
    ['00100040', 'CS', 'F'],
    ['00101010', 'AS', '024Y'],
    ['0020000D', 'UI', sample.study],
    ['0020000E', 'UI', sample.series],
    ['00200010', 'SH', '1'],
    ['00200011', 'IS', String(sample.seriesNumber)],
    ['00200013', 'IS', String(sample.instanceNumber)],
    ['00200020', 'CS', ''],
    ['00200060', 'CS', ''],
    ['00204000', 'LT', `Fake DICOM - ${sample.title}`],
    ['00280002', 'US', 3],
    ['00280004', 'CS', 'RGB'],
    ['00280006', 'US', 0],
    ['00280010', 'US', pictureSize],
    ['00280011', 'US', pictureSize],
    ['00280030', 'DS', '1.0\\1.0'],
    ['00280100', 'US', 8],
    ['00280101', 'US', 8],
    ['00280102', 'US', 7],
    ['00280103', 'US', 0],
    ['00280301', 'CS', 'NO'],
    ['00282110', 'CS', '00'],
    ['7FE00010', 'OB', drawPicture(sample.picture)],
  ]);
}
