import { describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import { problemResponse, problems } from '../../src/http/problem.js';
import { asResponse } from '../support/host/web-response.js';

const respond = (...error: Parameters<typeof problemResponse>) =>
  asResponse(problemResponse(...error));

const json = { requestId: 'r-1', format: 'problem+json' } as const;
const text = { requestId: 'r-1', format: 'text' } as const;

describe('problemResponse', () => {
  it('writes problem details with code, facts and request id', async () => {
    const error = new ServiceError('not-acceptable', 'Not to be had.', { offered: ['a/b', 'c/d'] });
    const response = respond(error, json);
    expect(response.status).toBe(406);
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({
      type: 'urn:dicomweb-functions:problem:not-acceptable',
      title: 'No acceptable representation',
      status: 406,
      detail: 'Not to be had.',
      code: 'not-acceptable',
      requestId: 'r-1',
      offered: ['a/b', 'c/d'],
    });
  });

  it('writes the message alone in the Microsoft form', async () => {
    const response = respond(new ServiceError('instance-not-found', 'Not here.'), text);
    expect(response.status).toBe(404);
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('Not here.');
  });

  it.each([
    ['an Error', new Error('password=secret')],
    ['a string', 'password=secret'],
    ['undefined', undefined],
    ['a look-alike', { name: 'ServiceError', code: 'forbidden', message: 'password=secret' }],
  ])('tells nothing of %s but the request id', async (_what, error) => {
    for (const options of [json, text]) {
      const response = respond(error, options);
      const body = await response.text();
      expect(response.status).toBe(500);
      expect(body).not.toMatch(/secret|\.ts|at /);
      expect(body).toContain('r-1');
      if (options === json) expect(JSON.parse(body)).toMatchObject({ code: 'internal-error' });
    }
  });

  it('hides the cause and the stack of a service error', async () => {
    const error = new ServiceError('storage-unavailable', 'Away.', {}, new Error('account key'));
    const body = await respond(error, json).text();
    expect(body).not.toContain('account key');
    expect(body).not.toContain('stack');
  });

  it('says when to retry', () => {
    const busy = new ServiceError('overloaded', 'Busy.', { retryAfterSeconds: 1.2 });
    expect(respond(busy, json).headers.get('Retry-After')).toBe('2');
    const away = new ServiceError('storage-unavailable', 'Away.');
    expect(respond(away, text).headers.get('Retry-After')).toBe('5');
    const bad = new ServiceError('invalid-uid', 'Bad.');
    expect(respond(bad, json).headers.has('Retry-After')).toBe(false);
  });

  it('names the methods that are allowed', () => {
    const error = new ServiceError('method-not-allowed', 'No.', { allowed: ['GET', 'DELETE'] });
    const response = respond(error, json);
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET, DELETE');
  });

  it('challenges who is not authenticated', () => {
    const error = new ServiceError('unauthenticated', 'Who are you?');
    expect(respond(error, json).headers.get('WWW-Authenticate')).toBe('Bearer realm="DICOMweb"');
    const expired = new ServiceError('unauthenticated', 'Too old.', { error: 'invalid_token' });
    expect(respond(expired, json).headers.get('WWW-Authenticate')).toBe(
      'Bearer realm="DICOMweb", error="invalid_token", error_description="Too old."',
    );
  });

  it('names the role that is missing', () => {
    const facts = { error: 'insufficient_scope', scope: 'Dicom.Delete' } as const;
    const forbidden = respond(new ServiceError('forbidden', 'No.', facts), json);
    expect(forbidden.status).toBe(403);
    expect(forbidden.headers.get('WWW-Authenticate')).toBe(
      'Bearer realm="DICOMweb", error="insufficient_scope", error_description="No.", scope="Dicom.Delete"',
    );
  });
});

describe('problems', () => {
  it.each([
    ['invalid-partition', 400],
    ['invalid-uid', 400],
    ['invalid-query', 400],
    ['invalid-multipart', 400],
    ['client-aborted', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['study-not-found', 404],
    ['frame-not-found', 404],
    ['not-acceptable', 406],
    ['payload-too-large', 413],
    ['unsupported-media-type', 415],
    ['storage-corrupt', 500],
    ['storage-unavailable', 503],
    ['overloaded', 503],
  ] as const)('gives %s the status of the Microsoft contract, %i', (code, status) => {
    expect(problems[code].status).toBe(status);
  });
});
