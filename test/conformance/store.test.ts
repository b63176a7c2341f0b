/** Store Instances (PS3.18 §10.5), as clients send them and as the answer must be to the letter. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import {
  dicomPart,
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  sopClass,
  valueOf,
  type Client,
  type Json,
  type Sample,
} from '../support/conformance.js';
import { writeParts, type SentPart } from '../support/multipart.js';
import {
  chunksOf,
  element,
  sequence,
  syntaxes,
  type SampleSpec,
} from '../support/part10-builder.js';

/** The item of a stored instance, as each contract has it. */
function storedItem(client: Client, uids: Sample): Json {
  return {
    '00081150': { vr: 'UI', Value: [sopClass] },
    '00081155': { vr: 'UI', Value: [uids.instance] },
    '00081190': { vr: 'UR', Value: [client.url(pathOf(uids))] },
    ...(client.face.name === 'v2' && { '00741048': { vr: 'SQ' } }),
  };
}

function failedItem(reason: number, uids: Partial<Sample>, comments: readonly string[] = []): Json {
  return {
    '00081150': { vr: 'UI', Value: [sopClass] },
    ...(uids.instance !== undefined && { '00081155': { vr: 'UI', Value: [uids.instance] } }),
    '00081197': { vr: 'US', Value: [reason] },
    ...(comments.length > 0 && {
      '00741048': {
        vr: 'SQ',
        Value: comments.map((text) => ({ '00000902': { vr: 'LO', Value: [text] } })),
      },
    }),
  };
}

function stored(...items: readonly Json[]): object {
  return { '00081199': { vr: 'SQ', Value: items } };
}

function failed(...items: readonly Json[]): object {
  return { '00081198': { vr: 'SQ', Value: items } };
}

async function expectAnswer(response: Response, status: number, dataSet: object): Promise<void> {
  expect(await response.json()).toEqual(dataSet);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/dicom+json');
}

function streamed(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  return ReadableStream.from<Uint8Array>(chunksOf(bytes, size));
}

/** Requests as real clients write them; each must store every file of it. */
interface RequestForm {
  readonly name: string;
  readonly files: number;
  readonly contentType: string;
  /** Names as the client spells them. */
  readonly names?: readonly [contentType: string, accept: string];
  readonly part?: (file: Buffer) => SentPart;
  readonly boundary: string;
  /** Before the first boundary. */
  readonly lead?: string;
  /** What the closing boundary is followed by, CRLF unless given. */
  readonly tail?: string;
  readonly chunkBytes?: number;
}

const forms: readonly RequestForm[] = [
  {
    name: 'one part, boundary unquoted',
    files: 1,
    contentType: 'multipart/related; type="application/dicom"; boundary=abc',
    boundary: 'abc',
  },
  {
    name: 'several parts, boundary quoted',
    files: 3,
    contentType: 'multipart/related; type="application/dicom"; boundary="a b:c"',
    boundary: 'a b:c',
  },
  {
    name: 'the type unquoted, no spaces',
    files: 1,
    contentType: 'multipart/related;type=application/dicom;boundary=abc',
    boundary: 'abc',
  },
  {
    name: 'no type, every part with its own',
    files: 2,
    contentType: 'multipart/related; boundary=abc',
    boundary: 'abc',
  },
  {
    name: 'OHIF: a CRLF before the first boundary, none after the last',
    files: 1,
    contentType:
      'multipart/related; type="application/dicom"; boundary="0d1f0bd1-9c7b-4e0b-a2f1-7b2c0b8f7d11"',
    boundary: '0d1f0bd1-9c7b-4e0b-a2f1-7b2c0b8f7d11',
    lead: '\r\n',
    tail: '',
  },
  {
    name: 'Python: a constant boundary',
    files: 2,
    contentType:
      'multipart/related; type="application/dicom"; boundary="0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1"',
    boundary: '0f3cf5c0-70e0-41ef-baef-c6f9f65ec3e1',
    lead: '\r\n',
  },
  {
    name: 'urllib3: parts with a Content-Disposition',
    files: 2,
    contentType: 'multipart/related; type="application/dicom"; boundary=0123456789abcdef',
    boundary: '0123456789abcdef',
    part: (body) => ({
      headers: [
        'Content-Disposition: form-data; name="file"; filename="a.dcm"',
        'Content-Type: application/dicom',
      ],
      body,
    }),
  },
  {
    name: 'header names in lower case',
    files: 1,
    contentType: 'multipart/related; type="application/dicom"; boundary=abc',
    names: ['content-type', 'accept'],
    boundary: 'abc',
    part: (body) => ({ headers: ['content-type: application/dicom', 'content-id: <1>'], body }),
  },
  {
    name: 'parts that name their transfer syntax and length',
    files: 1,
    contentType: 'multipart/related; type="application/dicom"; boundary=abc',
    boundary: 'abc',
    part: (body) => ({
      headers: [
        'MIME-Version: 1.0',
        `Content-Type: application/dicom; transfer-syntax=${syntaxes.explicit}`,
        `Content-Length: ${body.length}`,
      ],
      body,
    }),
  },
  {
    name: 'a start parameter',
    files: 1,
    contentType: 'multipart/related; type="application/dicom"; start="<1>"; boundary=abc',
    boundary: 'abc',
  },
  {
    name: 'a first part without a type of its own',
    files: 1,
    contentType: 'multipart/related; type="application/dicom"; boundary=abc',
    boundary: 'abc',
    part: (body) => ({ headers: [], body }),
  },
  {
    name: 'chunked transfer in odd pieces',
    files: 3,
    contentType: 'multipart/related; type="application/dicom"; boundary=abc',
    boundary: 'abc',
    chunkBytes: 611,
  },
];

/** Files that a contract refuses, stores, or stores with a warning. */
interface Judgement {
  readonly name: string;
  readonly spec: SampleSpec;
  /** By contract: the reason of a failure, a warning with its comment, or nothing to say. */
  readonly outcome: Readonly<Record<'PS3.18' | 'v1' | 'v2', Outcome>>;
}

type Outcome =
  | 'stored'
  | { readonly failure: number; readonly comments: readonly string[] }
  | { readonly warning: number; readonly comments: readonly string[] };

const missingPatientID = "DICOM100: (0010,0020) - The required tag '(0010,0020)' is missing.";
const missingSeries =
  "DICOM100: (0020,000d) - The required tag '(0020,000d)' is missing.".replaceAll('000d', '000e');
const badUid =
  "DICOM100: (0020,000e) - Dicom element 'SeriesInstanceUID' failed validation for VR 'UI': DICOM " +
  'Identifier is invalid. Value length should not exceed the maximum length of 64 characters. Value ' +
  "should contain characters in '0'-'9' and '.'. Each component must start with non-zero number.";

function refusedBy(comment: string): Outcome {
  return { failure: 43264, comments: [comment] };
}

const judgements: readonly Judgement[] = [
  {
    name: 'an empty PatientID',
    spec: { overrides: [element('00100020', 'LO', '')] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(missingPatientID),
      v2: { warning: 1, comments: [missingPatientID] },
    },
  },
  {
    name: 'no PatientID',
    spec: { omit: ['00100020'] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(missingPatientID),
      v2: refusedBy(missingPatientID),
    },
  },
  {
    name: 'an invalid StudyDate',
    spec: { overrides: [element('00080020', 'DA', 'NotAValidStudyDate')] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(
        "DICOM100: (0008,0020) - Dicom element 'StudyDate' failed validation for VR 'DA': Value cannot be parsed as a valid date.",
      ),
      v2: {
        warning: 1,
        comments: [
          'DICOM100: (0008,0020) - Content "NotAValidStudyDate" does not validate VR DA: one of the date values does not match the pattern YYYYMMDD',
        ],
      },
    },
  },
  {
    name: 'a PatientID that ends in a null',
    spec: { overrides: [element('00100020', 'LO', 'abc\0')] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(
        "DICOM100: (0010,0020) - Dicom element 'PatientID' failed validation for VR 'LO': Value contains invalid character.",
      ),
      v2: 'stored',
    },
  },
  {
    name: 'a PatientID with a null within it',
    spec: { overrides: [element('00100020', 'LO', 'a\0bc')] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(
        "DICOM100: (0010,0020) - Dicom element 'PatientID' failed validation for VR 'LO': Value contains invalid character.",
      ),
      v2: refusedBy(
        "DICOM100: (0010,0020) - Dicom element 'PatientID' failed validation for VR 'LO': Value contains invalid character.",
      ),
    },
  },
  {
    name: 'a PatientID of 65 characters',
    spec: { overrides: [element('00100020', 'LO', 'a'.repeat(65))] },
    outcome: {
      'PS3.18': 'stored',
      v1: refusedBy(
        "DICOM100: (0010,0020) - Dicom element 'PatientID' failed validation for VR 'LO': Value length exceeds maximum length of 64.",
      ),
      v2: refusedBy(
        "DICOM100: (0010,0020) - Dicom element 'PatientID' failed validation for VR 'LO': Value length exceeds maximum length of 64.",
      ),
    },
  },
  {
    name: 'no SeriesInstanceUID',
    spec: { omit: ['0020000E'] },
    outcome: {
      'PS3.18': refusedBy(missingSeries),
      v1: refusedBy(missingSeries),
      v2: refusedBy(missingSeries),
    },
  },
  {
    name: 'a SeriesInstanceUID with letters',
    spec: { overrides: [element('0020000E', 'UI', '1.2.x')] },
    outcome: { 'PS3.18': refusedBy(badUid), v1: refusedBy(badUid), v2: refusedBy(badUid) },
  },
  {
    name: 'implicit VR',
    spec: { transferSyntaxUID: syntaxes.implicit },
    outcome: {
      'PS3.18': 'stored',
      v1: { warning: 45063, comments: [] },
      v2: { warning: 45063, comments: [] },
    },
  },
];

onEveryDeployment((client) => {
  describe('POST studies', () => {
    it.each(forms)('takes $name', async (form) => {
      const { contentType, boundary, lead = '', tail = '\r\n', part = dicomPart } = form;
      const [typeName, acceptName] = form.names ?? ['Content-Type', 'Accept'];
      const study = fresh();
      const samples = Array.from({ length: form.files }, () => sample({ study }));
      const parts = writeParts(
        samples.map(({ file }) => part(file)),
        boundary,
      );
      const body = Buffer.concat([Buffer.from(lead), parts.subarray(0, -2), Buffer.from(tail)]);
      const sent = form.chunkBytes === undefined ? body : streamed(body, form.chunkBytes);
      const response = await client.post(undefined, sent, {
        [typeName]: contentType,
        [acceptName]: 'application/dicom+json',
      });
      await expectAnswer(response, 200, stored(...samples.map((uids) => storedItem(client, uids))));
      for (const { file, ...uids } of samples) {
        expect(await client.bytes(pathOf(uids), 'application/dicom; transfer-syntax=*')).toEqual(
          file,
        );
      }
    });

    it.each([
      'application/dicom',
      'Application/DICOM',
      `application/dicom; transfer-syntax=${syntaxes.explicit}`,
    ])('takes the file itself as %s', async (contentType) => {
      const one = sample();
      const response = await client.post(undefined, one.file, {
        'Content-Type': contentType,
        Accept: 'application/dicom+json',
      });
      await expectAnswer(response, 200, stored(storedItem(client, one)));
    });

    it.each(['application/json', '*/*', 'application/dicom+json, application/json'])(
      'answers a client that accepts %s',
      async (accept) => {
        const one = sample();
        const response = await client.stow([one.file], { headers: { Accept: accept } });
        await expectAnswer(response, 200, stored(storedItem(client, one)));
      },
    );

    it('answers Weasis, which reads XML, in XML', async () => {
      const one = sample();
      const response = await client.stow([one.file], {
        headers: { Accept: 'application/dicom+xml' },
      });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('application/dicom+xml');
      const url = `${client.baseUrl}${pathOf(one)}`;
      expect(await response.text()).toContain(
        '<DicomAttribute tag="00081190" vr="UR" keyword="RetrieveURL">' +
          `<Value number="1">${url}</Value></DicomAttribute>`,
      );
    });

    it.each([
      ['empty', Buffer.alloc(0)],
      ['no DICOM file', Buffer.from('%PDF-1.7 is not DICOM'.padEnd(400))],
    ])('takes a single body that is %s for a bad request, Microsoft for 409', async (_, body) => {
      const headers = { 'Content-Type': 'application/dicom' };
      const response = await client.post(undefined, body, headers);
      if (!client.face.microsoft) {
        expect(await client.refusal(response, 400)).toMatch(/DICOM/);
        return;
      }
      const answer = (await response.json()) as Json;
      expect(response.status).toBe(409);
      const [item] = answer['00081198']?.Value as Json[];
      expect(item?.['00081197']?.Value).toEqual([43264]);
    });

    it('decodes a body in gzip, and refuses another coding: 415', async () => {
      const one = sample();
      const send = async (body: Uint8Array, coding: string) =>
        await client.post(undefined, body, {
          'Content-Type': 'application/dicom',
          'Content-Encoding': coding,
        });
      const stored = await send(gzipSync(one.file), 'gzip');
      await stored.arrayBuffer();
      expect(stored.status).toBe(200);
      expect(await client.bytes(pathOf(one), 'application/dicom; transfer-syntax=*')).toEqual(
        one.file,
      );
      await client.refusal(await send(sample().file, 'br'), 415);
      await client.refusal(await send(sample().file, 'gzip'), 400);
    });

    it('says that implicit VR was stored, and what else is wrong with it', async () => {
      const one = sample({
        transferSyntaxUID: syntaxes.implicit,
        overrides: [
          element('00081070', 'PN', 'a=b=c=d'),
          sequence('00081140', [[element('00080020', 'DA', '2024-02-29')]]),
        ],
      });
      const response = await client.stow([one.file]);
      const answer = (await response.json()) as Json;
      expect(response.status).toBe(client.face.name === 'v2' ? 202 : 200);
      const item = answer['00081199']?.Value?.[0] as Json;
      expect(valueOf(item, '00081196')).toBe(client.face.microsoft ? 45063 : undefined);
      const comments = (item['00741048']?.Value ?? []).map((one) =>
        valueOf(one as Json, '00000902'),
      );
      expect(comments.map((text) => String(text).slice(0, 25))).toEqual(
        client.face.name === 'v2' ? ['DICOM100: (0008,1070) - C', 'DICOM100: (0008,0020) - C'] : [],
      );
    });

    it('stores the instances of several studies in one request', async () => {
      const samples = [sample(), sample(), sample()];
      await expectAnswer(
        await client.stow(samples.map(({ file }) => file)),
        200,
        stored(...samples.map((uids) => storedItem(client, uids))),
      );
      for (const { study } of samples) expect(await client.isThere(study)).toBe(true);
    });

    it.each([
      ['no part', '--abc--\r\n'],
      ['one part that is empty and has no type, as .NET writes none', '--abc\r\n\r\n--abc--\r\n'],
    ])('answers 204 to a request with %s', async (_, text) => {
      const response = await client.post(undefined, Buffer.from(text), {
        'Content-Type': 'multipart/related; type="application/dicom"; boundary=abc',
      });
      expect(response.status).toBe(204);
      expect(await response.text()).toBe('');
    });

    it('takes an empty first part before another for a file that fails: 202', async () => {
      const one = sample();
      const response = await client.stow([{ headers: [], body: Buffer.alloc(0) }, one.file]);
      const answer = (await response.json()) as Json;
      expect(response.status).toBe(202);
      expect(answer['00081198']?.Value).toHaveLength(1);
      expect(await client.isThere(one.study)).toBe(true);
    });

    it('refuses an instance that is there already: 409 and 45070', async () => {
      const one = sample();
      await client.store(one);
      await expectAnswer(await client.stow([one.file]), 409, failed(failedItem(45070, one)));
      expect(await client.json(`/studies/${one.study}/instances`)).toHaveLength(1);
    });

    it('stores an instance that comes twice in one request once: 202', async () => {
      const one = sample();
      await expectAnswer(await client.stow([one.file, one.file]), 202, {
        ...failed(failedItem(45070, one)),
        ...stored(storedItem(client, one)),
      });
    });

    it('stores the good instances beside one that is not DICOM: 202', async () => {
      const good = [sample(), sample()] as const;
      const junk = Buffer.from('%PDF-1.7 is not DICOM'.padEnd(400));
      const response = await client.stow([good[0].file, junk, good[1].file]);
      const answer = (await response.json()) as Json;
      expect(response.status).toBe(202);
      expect(answer['00081199']).toEqual({
        vr: 'SQ',
        Value: good.map((uids) => storedItem(client, uids)),
      });
      const failures = answer['00081198']?.Value as Json[];
      expect(failures.map((item) => item['00081197'])).toEqual([
        { vr: 'US', Value: [client.face.microsoft ? 43264 : 0xc000] },
      ]);
      for (const uids of good) expect(await client.isThere(uids.study)).toBe(true);
    });

    it.each([
      ['truncated', sample().file.subarray(0, 700)],
      ['empty', Buffer.alloc(0)],
      ['not DICOM', Buffer.alloc(300, 'x')],
    ])('refuses a file that is %s: 409 with the reason', async (_what, file) => {
      const response = await client.stow([file]);
      expect(response.status).toBe(409);
      const answer = (await response.json()) as Json;
      expect(Object.keys(answer)).toEqual(['00081198']);
      const [item] = answer['00081198']?.Value as Json[];
      expect(item?.['00081197']?.Value).toEqual([client.face.microsoft ? 43264 : 0xc000]);
      expect(JSON.stringify(item?.['00741048'])).toMatch(/"00000902"/);
    });

    it('stores an instance once that many requests bring at the same time', async () => {
      const one = sample();
      const responses = await Promise.all(
        Array.from({ length: 6 }, async () => await client.stow([one.file])),
      );
      await Promise.all(responses.map(async (response) => await response.arrayBuffer()));
      expect(responses.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409, 409, 409]);
      expect(await client.json(`/studies/${one.study}/instances`)).toHaveLength(1);
    });

    it('stores and counts what many requests bring for one study at the same time', async () => {
      const study = fresh();
      const series = [fresh(), fresh(), fresh()];
      const samples = series.flatMap((one) =>
        Array.from({ length: 4 }, () => sample({ study, series: one })),
      );
      await Promise.all(samples.map(async (one) => await client.store(one)));
      const [result] = await client.json(
        `/studies?StudyInstanceUID=${study}&includefield=00201206,00201208`,
      );
      expect([valueOf(result, '00201206'), valueOf(result, '00201208')]).toEqual([3, 12]);
      expect(await client.json(`/studies/${study}/metadata`)).toHaveLength(12);
    });

    it('keeps what fails validation out of metadata and search, for clients of v2', async () => {
      const one = sample({
        overrides: [
          element('00080020', 'DA', '2024-02-29'),
          element('00081070', 'PN', 'a=b=c=d'),
          element('00100020', 'LO', ''),
        ],
      });
      const response = await client.stow([one.file]);
      await response.arrayBuffer();
      if (client.face.name === 'v1') {
        expect(response.status).toBe(409);
        return;
      }
      const [dataSet] = await client.json(`${pathOf(one)}/metadata`);
      const kept = ['00080020', '00081070', '00100020'].map((tag) => dataSet?.[tag] !== undefined);
      expect(kept).toEqual(kept.map(() => client.face.name === 'PS3.18'));
      const [result] = await client.json(`/studies?StudyInstanceUID=${one.study}`);
      expect(valueOf(result, '00080020') !== undefined).toBe(client.face.name === 'PS3.18');
      expect(await client.bytes(pathOf(one), 'application/dicom; transfer-syntax=*')).toEqual(
        one.file,
      );
    });

    it.each(judgements)('judges $name as its contract says', async ({ spec, outcome }) => {
      const one = sample(spec);
      const expected = outcome[client.face.name];
      const response = await client.stow([one.file]);
      if (expected === 'stored') {
        await expectAnswer(response, 200, stored(storedItem(client, one)));
      } else if ('failure' in expected) {
        await expectAnswer(
          response,
          409,
          failed(failedItem(expected.failure, one, expected.comments)),
        );
      } else {
        const comments = failedItem(0, {}, expected.comments)['00741048'];
        const item = {
          ...storedItem(client, one),
          '00081196': { vr: 'US', Value: [expected.warning] } as const,
          ...(comments && { '00741048': comments }),
        };
        await expectAnswer(response, client.face.name === 'v1' ? 200 : 202, stored(item));
      }
      expect(await client.isThere(one.study)).toBe(expected === 'stored' || 'warning' in expected);
    });
  });

  describe('POST studies/{study}', () => {
    it('names the study in the answer', async () => {
      const one = sample();
      await expectAnswer(await client.stow([one.file], { study: one.study }), 200, {
        '00081190': { vr: 'UR', Value: [client.url(`/studies/${one.study}`)] },
        ...stored(storedItem(client, one)),
      });
    });

    const mismatch =
      'DICOM100: (0020,000d) - The StudyInstanceUID is not that of the study in the path.';

    it('refuses instances of other studies one by one: 202', async () => {
      const own = sample();
      const other = sample();
      const reason = client.face.microsoft ? 43264 : 43265;
      const response = await client.stow([other.file, own.file], { study: own.study });
      await expectAnswer(response, 202, {
        '00081190': { vr: 'UR', Value: [client.url(`/studies/${own.study}`)] },
        ...failed(failedItem(reason, other, [mismatch])),
        ...stored(storedItem(client, own)),
      });
      expect(await client.isThere(other.study)).toBe(false);
    });

    it('answers 409 without a URL when all are of other studies', async () => {
      const other = sample();
      const reason = client.face.microsoft ? 43264 : 43265;
      const response = await client.stow([other.file], { study: fresh() });
      await expectAnswer(response, 409, failed(failedItem(reason, other, [mismatch])));
    });
  });
});
