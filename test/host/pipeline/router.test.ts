import { describe, expect, it } from '@jest/globals';
import { createRouter } from '../../../src/host/pipeline/router.js';

const templates = [
  '{*path}',
  '{version}/studies',
  'studies/{study}',
  'studies',
  'studies/$bulkUpdate',
  'partitions/{partition}/studies',
  'studies/{study}/series/{series}',
];

const router = createRouter(
  templates.map((template) => ({ method: 'GET', template, value: template })),
);

const found = (path: string) => router.match('GET', path)?.value;

describe('createRouter', () => {
  it('prefers literals to parameters and both to a catch-all, in whatever order they come', () => {
    expect(found('/studies')).toBe('studies');
    expect(found('/v2/studies')).toBe('{version}/studies');
    expect(found('/studies/1.2')).toBe('studies/{study}');
    expect(found('/studies/$bulkUpdate')).toBe('studies/$bulkUpdate');
    expect(found('/studies/studies')).toBe('studies/{study}');
    expect(found('/partitions/p/studies')).toBe('partitions/{partition}/studies');
    expect(found('/nowhere')).toBe('{*path}');
    expect(found('/')).toBe('{*path}');
  });

  it('matches literals in any case and decoded', () => {
    expect(found('/STUDIES/%24bulkupdate')).toBe('studies/$bulkUpdate');
  });

  it('hands out decoded parameters, also those that cannot be decoded', () => {
    expect(router.match('GET', '/studies/a%2Fb/series/100%')?.params).toEqual({
      study: 'a/b',
      series: '100%',
    });
  });

  it('passes over one final slash, and matches no parameter with nothing', () => {
    expect(found('/studies/1.2/')).toBe('studies/{study}');
    expect(found('/studies//')).toBe('{*path}');
  });

  it('goes on to a less specific template that has the method', () => {
    const both = createRouter([
      { method: 'GET', template: 'studies', value: 'get' },
      { method: 'POST', template: '{anything}', value: 'post' },
    ]);
    expect(both.match('POST', '/studies')?.value).toBe('post');
    expect(both.match('PUT', '/studies')).toBeUndefined();
  });

  it('names the methods of a path once each', () => {
    const methods = createRouter([
      { method: 'GET', template: 'studies', value: 1 },
      { method: 'POST', template: 'studies', value: 2 },
      { method: 'GET', template: '{other}', value: 3 },
    ]);
    expect(methods.methodsOf('/studies')).toEqual(['GET', 'POST']);
    expect(methods.methodsOf('/a/b')).toEqual([]);
  });
});
