import { describe, expect, it } from '@jest/globals';
import {
  pictureRank,
  representativeInstances,
  representativeSeries,
} from '../../../../src/dicomweb/retrieve/rendered/representative.js';
import type { InstanceRecord, SeriesRecord } from '../../../../src/storage/archive/records.js';

const storage = '1.2.840.10008.5.1.4.1.1';
const ct = `${storage}.2`;
const report = `${storage}.88.33`;
const segmentation = `${storage}.66.4`;

describe('pictureRank', () => {
  it.each([
    ['CT', ct, 2],
    ['enhanced MR', `${storage}.4.1`, 2],
    ['ultrasound multi-frame', `${storage}.3.1`, 2],
    ['RT Image', `${storage}.481.1`, 2],
    ['a private class', '1.2.826.0.1', 2],
    ['a class yet to come', `${storage}.999`, 2],
    ['segmentation', segmentation, 1],
    ['RT Dose', `${storage}.481.2`, 1],
    ['parametric map', `${storage}.30`, 1],
    ['report', report, 0],
    ['key objects', `${storage}.88.59`, 0],
    ['presentation state', `${storage}.11.1`, 0],
    ['RT Structure Set', `${storage}.481.3`, 0],
    ['RT Plan', `${storage}.481.5`, 0],
    ['PDF', `${storage}.104.1`, 0],
    ['spectroscopy', `${storage}.4.2`, 0],
    ['ECG', `${storage}.9.1.1`, 0],
    ['raw data', `${storage}.66`, 0],
    ['registration', `${storage}.66.1`, 0],
  ])('%s', (_name, sopClass, rank) => {
    expect(pictureRank(sopClass)).toBe(rank);
  });
});

function series(uid: string, sopClasses: Readonly<Record<string, number>>): SeriesRecord {
  return { series: uid, sopClasses } as unknown as SeriesRecord;
}

describe('representativeSeries', () => {
  it('is the one with most images, and of equals the first', () => {
    const given = [
      series('1.5', { [report]: 900 }),
      series('1.4', { [ct]: 20 }),
      series('1.3', { [ct]: 20, [report]: 5 }),
      series('1.2', { [segmentation]: 100 }),
      series('1.1', { [ct]: 19 }),
    ];
    expect(representativeSeries(given)).toBe('1.3');
  });

  it('is whatever there is when there are no images', () => {
    const given = [series('1.2', { [report]: 1 }), series('1.1', { [segmentation]: 1 })];
    expect(representativeSeries(given)).toBe('1.1');
    expect(representativeSeries(given.slice(0, 1))).toBe('1.2');
    expect(representativeSeries([])).toBeUndefined();
  });
});

function instance(uid: string, sopClass = ct, transferSyntax = '1.2.840.10008.1.2.1') {
  return { instance: uid, sopClass, transferSyntax } as unknown as InstanceRecord;
}

describe('representativeInstances', () => {
  const tried = (...records: readonly InstanceRecord[]) =>
    representativeInstances(records).map((record) => String(record.instance));

  it('is the middle one, then the first and the last', () => {
    expect(tried(...['a', 'b', 'c', 'd', 'e'].map((uid) => instance(uid)))).toEqual([
      'c',
      'a',
      'e',
    ]);
    expect(tried(instance('a'), instance('b'))).toEqual(['a', 'b']);
    expect(tried(instance('a'))).toEqual(['a']);
    expect(tried()).toEqual([]);
  });

  it('is no report and no video where there is a picture', () => {
    const video = instance('a', ct, '1.2.840.10008.1.2.4.102');
    expect(tried(video, instance('b'), instance('c', report))).toEqual(['b']);
    expect(tried(video, instance('c', report))).toEqual(['a']);
  });
});
