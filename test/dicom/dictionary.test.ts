import { describe, expect, it } from '@jest/globals';
import {
  keywordOf,
  parseAttribute,
  signedByPixels,
  tagOf,
  vrOf,
} from '../../src/dicom/dictionary.js';
import { tag } from '../support/dicom/raw-data-set.js';

describe('vrOf', () => {
  it.each([
    ['00100010', 'PN'],
    ['00020010', 'UI'],
    ['0008001C', 'CS'],
    ['30060020', 'SQ'],
    ['00189073', 'FD'],
  ])('knows standard attribute %s as %s', (name, vr) => {
    expect(vrOf(tag(name))).toBe(vr);
  });

  it.each([
    ['60003000', 'OW'],
    ['60FE3000', 'OW'],
    ['60020010', 'US'],
    ['50020020', 'CS'],
    ['00203105', 'CS'],
  ])('knows %s of a repeating group as %s', (name, vr) => {
    expect(vrOf(tag(name))).toBe(vr);
  });

  it('does not take private groups for repeating ones', () => {
    expect(vrOf(tag('60013000'))).toBeUndefined();
  });

  it('chooses as implicit VR does where the standard leaves a choice', () => {
    expect(vrOf(tag('7FE00010'))).toBe('OW');
    expect(vrOf(tag('00280106'))).toBe('US');
    expect(vrOf(tag('00283006'))).toBe('OW');
  });

  it('knows group lengths, of private groups too', () => {
    expect(vrOf(tag('00080000'))).toBe('UL');
    expect(vrOf(tag('00090000'))).toBe('UL');
  });

  it('knows private creators and nothing else of private groups', () => {
    expect(vrOf(tag('00290010'))).toBe('LO');
    expect(vrOf(tag('002900FF'))).toBe('LO');
    expect(vrOf(tag('0029000F'))).toBeUndefined();
    expect(vrOf(tag('00291010'))).toBeUndefined();
    expect(vrOf(tag('00290100'))).toBeUndefined();
  });

  it('does not know what the standard does not have', () => {
    expect(vrOf(tag('00081FFF'))).toBeUndefined();
    expect(vrOf(tag('FFFEE000'))).toBeUndefined();
  });
});

describe('signedByPixels', () => {
  it('is true of attributes that are US or SS', () => {
    expect(signedByPixels(tag('00280106'))).toBe(true);
    expect(signedByPixels(tag('00280120'))).toBe(true);
    expect(signedByPixels(tag('00280010'))).toBe(false);
    expect(signedByPixels(tag('00291010'))).toBe(false);
  });
});

describe('tagOf, keywordOf', () => {
  it('find each other', () => {
    expect(tagOf('StudyInstanceUID')).toBe('0020000D');
    expect(keywordOf(tag('0020000D'))).toBe('StudyInstanceUID');
  });

  it('names attributes of repeating groups, which have no single tag', () => {
    expect(keywordOf(tag('60023000'))).toBe('OverlayData');
    expect(tagOf('OverlayData')).toBeUndefined();
  });

  it('wants the exact spelling', () => {
    expect(tagOf('studyInstanceUID')).toBeUndefined();
    expect(tagOf('constructor')).toBeUndefined();
    expect(tagOf('')).toBeUndefined();
  });
});

describe('parseAttribute', () => {
  it('reads keywords and hexadecimal digits', () => {
    expect(parseAttribute('PatientName')).toBe('00100010');
    expect(parseAttribute('0020000d')).toBe('0020000D');
    expect(parseAttribute('00091001')).toBe('00091001');
  });

  it('refuses everything else', () => {
    expect(parseAttribute('0020,000D')).toBeUndefined();
    expect(parseAttribute('0020000')).toBeUndefined();
    expect(parseAttribute('NoSuchKeyword')).toBeUndefined();
  });
});
