/** The JavaScript client of the OHIF family, as published, against the running service. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import {
  Client,
  faces,
  freshUids,
  onEveryHost,
  pathOf,
  sample,
  valueOf,
  type Json,
  type Sample,
} from '../support/conformance.js';
import { binary, element, ramp, syntaxes, type SampleSpec } from '../support/part10-builder.js';
import { pixelsOf } from '../support/dicom/pixel-frames.js';
import { startService, type Service } from '../support/service.js';
import { XmlHttpRequest } from '../support/host/xml-http-request.js';

interface SearchOptions {
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly queryParams?: Readonly<Record<string, string | number | boolean>>;
}

interface MediaType {
  readonly mediaType: string;
  readonly transferSyntaxUID?: string;
}

/** A part, and what its headers say of it. */
type Part = ArrayBuffer & {
  readonly contentType?: string | null;
  readonly transferSyntaxUID?: string | null;
};

interface ResourceOptions extends SearchOptions {
  readonly sopInstanceUID?: string;
  readonly frameNumbers?: readonly number[];
  readonly mediaTypes?: readonly MediaType[];
}

interface BulkDataOptions {
  readonly BulkDataURI: string;
  readonly mediaTypes?: readonly MediaType[];
  readonly byteRange?: readonly number[];
}

/** As it is used: its own types say that searches answer at once, and need those of a browser. */
interface DICOMwebClient {
  searchForStudies(options?: SearchOptions): Promise<readonly Json[]>;
  searchForSeries(options?: SearchOptions): Promise<readonly Json[]>;
  searchForInstances(options?: SearchOptions): Promise<readonly Json[]>;
  storeInstances(options: {
    readonly datasets: readonly ArrayBuffer[];
    readonly studyInstanceUID?: string;
  }): Promise<unknown>;
  retrieveStudy(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveSeries(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveInstance(options: ResourceOptions): Promise<Part>;
  retrieveStudyMetadata(options: ResourceOptions): Promise<readonly Json[]>;
  retrieveSeriesMetadata(options: ResourceOptions): Promise<readonly Json[]>;
  retrieveInstanceMetadata(options: ResourceOptions): Promise<readonly Json[]>;
  retrieveInstanceFrames(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveInstanceRendered(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveInstanceThumbnail(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveInstanceFramesRendered(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveInstanceFramesThumbnail(options: ResourceOptions): Promise<readonly Part[]>;
  retrieveBulkData(options: BulkDataOptions): Promise<readonly Part[]>;
}

interface Package {
  readonly api: {
    readonly DICOMwebClient: new (options: {
      readonly url: string;
      readonly verbose: boolean;
      readonly singlepart?: string;
    }) => DICOMwebClient;
  };
}

const packageName: string = 'dicomweb-client';

describe.each(faces)('dicomweb-client at the URLs of $name', (face) => {
  let service: Service;
  let client: DICOMwebClient;
  const first = freshUids();
  const studies = [first.study, ...Array.from({ length: 6 }, () => freshUids().study)];

  beforeAll(async () => {
    Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
    service = await startService({ host: 'local' });
    const sender = new Client(face, () => service);
    for (const study of studies) {
      await sender.store(
        sample({
          study,
          overrides: [element('00100020', 'LO', 'client'), element('00100010', 'PN', 'Müller^Ida')],
        }),
      );
    }
    const more = [1, 2, 3].map((number) =>
      sample({
        ...first,
        instance: freshUids().instance,
        overrides: [element('00200013', 'IS', String(number))],
      }),
    );
    await sender.store(...more);
    const { api } = (await import(packageName)) as Package;
    client = new api.DICOMwebClient({ url: sender.baseUrl, verbose: false });
  });

  afterAll(async () => {
    Reflect.deleteProperty(globalThis, 'XMLHttpRequest');
    await service.stop();
  });

  it('pages through all studies by offset, newest first, until a page is empty', async () => {
    const found: unknown[] = [];
    for (;;) {
      const page = await client.searchForStudies({
        queryParams: { limit: 3, offset: found.length },
      });
      if (page.length === 0) break;
      found.push(...page.map((one) => valueOf(one, '0020000D')));
    }
    expect(found).toEqual(studies.toReversed());
  });

  it.each([
    [{ PatientName: '*müller*', fuzzymatching: false }, 6],
    [{ PatientName: 'mul', fuzzymatching: true }, 6],
    [{ StudyInstanceUID: studies.slice(1, 3).join('\\') }, 2],
    [{ '00100020': 'client', ModalitiesInStudy: 'CT,MR', StudyDate: '20240101-20241231' }, 6],
    [{ PatientID: 'nobody' }, 0],
  ])('finds studies by %j', async (queryParams, count) => {
    expect(await client.searchForStudies({ queryParams })).toHaveLength(count);
  });

  it('finds the series of a study, and all series by their study', async () => {
    const { study, series } = first;
    const within = await client.searchForSeries({
      studyInstanceUID: study,
      queryParams: { includefield: '00080021,0008103E', Modality: 'CT' },
    });
    expect(within.map((one) => valueOf(one, '0020000E')).includes(series)).toBe(true);
    const all = await client.searchForSeries({ queryParams: { StudyInstanceUID: study } });
    expect(all).toHaveLength(within.length);
  });

  it('pages through the instances of a series', async () => {
    const { study, series } = first;
    const of = { studyInstanceUID: study, seriesInstanceUID: series };
    const found: unknown[] = [];
    for (;;) {
      const queryParams = { limit: 2, offset: found.length, includefield: '00200013' };
      const page = await client.searchForInstances({ ...of, queryParams });
      if (page.length === 0) break;
      found.push(...page.map((one) => valueOf(one, '00080018')));
    }
    expect(new Set(found).size).toBe(found.length);
    const second = await client.searchForInstances({ ...of, queryParams: { InstanceNumber: 2 } });
    expect(second).toHaveLength(1);
  });

  it('learns what is wrong with a query', async () => {
    await expect(
      client.searchForStudies({ queryParams: { StudyDate: 'yesterday' } }),
    ).rejects.toMatchObject({
      status: 400,
    });
  });
});

const pixels = pixelsOf({ bitsAllocated: 16 });
const frames = [3, 7].map((step) => {
  const bytes = Buffer.alloc(512);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (at * step * 97) % 256;
  Buffer.from('\r\n\r\n--\r\n').copy(bytes, 50);
  return bytes;
}) as [Buffer, Buffer];

const imageTypes: Readonly<Record<string, string>> = {
  [syntaxes.rle]: 'image/x-dicom-rle',
  [syntaxes.jpegLossless]: 'image/jpeg',
  [syntaxes.jpegLs]: 'image/jls',
  [syntaxes.jpeg2000]: 'image/jp2',
};

/** Two frames, with private bulk data beside them. */
const native: SampleSpec = {
  overrides: [element('00280008', 'IS', '2'), binary('00091011', 'OB', ramp(300))],
  pixelData: { native: Buffer.concat(frames) },
};

async function encoded(syntax: string): Promise<readonly [Buffer, Buffer]> {
  const made: Buffer[] = [];
  for (const bytes of frames) {
    const { bytes: one } = await encodeFrame({ pixels, bytes }, syntax as TransferSyntaxUID);
    made.push(Buffer.from(one));
  }
  return made as [Buffer, Buffer];
}

const bytesOf = (parts: readonly Part[]) => parts.map((part) => Buffer.from(part));
/** What a picture begins with. */
const marks = { jpeg: Buffer.from([0xff, 0xd8, 0xff]), png: Buffer.from('\x89PNG', 'latin1') };

onEveryHost((http) => {
  describe('dicomweb-client', () => {
    let client: DICOMwebClient;
    let alone: DICOMwebClient;
    const plain = sample(native);
    let rle: Sample;
    const uidsOf = ({ study, series, instance }: Sample) => ({
      studyInstanceUID: study,
      seriesInstanceUID: series,
      sopInstanceUID: instance,
    });

    beforeAll(async () => {
      Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
      // It says which thumbnails it asks for.
      jest.spyOn(console, 'debug').mockReturnValue();
      const { api } = (await import(packageName)) as Package;
      const options = { url: http.baseUrl, verbose: false };
      client = new api.DICOMwebClient(options);
      alone = new api.DICOMwebClient({ ...options, singlepart: 'bulkdata' });
      rle = sample({
        ...native,
        study: plain.study,
        series: plain.series,
        transferSyntaxUID: syntaxes.rle,
        pixelData: { fragments: await encoded(syntaxes.rle) },
      });
      const datasets = [plain, rle].map(({ file }) => Uint8Array.from(file).buffer);
      await client.storeInstances({ datasets });
    });

    afterAll(() => {
      jest.restoreAllMocks();
      Reflect.deleteProperty(globalThis, 'XMLHttpRequest');
    });

    it('stores in a study, and learns of what does not belong to it', async () => {
      const one = sample();
      const datasets = [Uint8Array.from(one.file).buffer];
      const studyInstanceUID = freshUids().study;
      await expect(client.storeInstances({ datasets, studyInstanceUID })).rejects.toMatchObject({
        status: 409,
      });
      await client.storeInstances({ datasets, studyInstanceUID: one.study });
      expect(Buffer.from(await client.retrieveInstance(uidsOf(one)))).toEqual(one.file);
    });

    it('retrieves instances of a study, of a series, and one', async () => {
      const { studyInstanceUID, seriesInstanceUID } = uidsOf(plain);
      const ofStudy = await client.retrieveStudy({ studyInstanceUID });
      const ofSeries = await client.retrieveSeries({ studyInstanceUID, seriesInstanceUID });
      for (const parts of [ofStudy, ofSeries]) {
        const files = bytesOf(parts);
        expect(files.some((file) => file.equals(plain.file))).toBe(true);
        const parsed = await Promise.all(files.map(async (file) => await parsePart10(file)));
        expect(parsed.map(({ meta }) => meta.transferSyntaxUID)).toEqual(
          Array(2).fill(syntaxes.explicit),
        );
        expect(parts[0]?.contentType).toBe('application/dicom');
        expect(parts[0]?.transferSyntaxUID).toBe(syntaxes.explicit);
      }
      expect(Buffer.from(await client.retrieveInstance(uidsOf(plain)))).toEqual(plain.file);
    });

    it('retrieves metadata of a study, of a series, and of an instance', async () => {
      const { studyInstanceUID, seriesInstanceUID } = uidsOf(plain);
      const of = (found: readonly Json[]) => found.map((one) => valueOf(one, '00080018')).sort();
      const both = [plain.instance, rle.instance].sort();
      expect(of(await client.retrieveStudyMetadata({ studyInstanceUID }))).toEqual(both);
      expect(
        of(await client.retrieveSeriesMetadata({ studyInstanceUID, seriesInstanceUID })),
      ).toEqual(both);
      // Once more: from what the service has kept.
      expect(of(await client.retrieveStudyMetadata({ studyInstanceUID }))).toEqual(both);
      expect(of(await client.retrieveInstanceMetadata(uidsOf(rle)))).toEqual([rle.instance]);
    });

    it('retrieves frames uncompressed, unless it names media types', async () => {
      for (const one of [plain, rle]) {
        const all = await client.retrieveInstanceFrames({ ...uidsOf(one), frameNumbers: [1, 2] });
        expect(bytesOf(all)).toEqual(frames);
        expect(all[0]?.transferSyntaxUID).toBe(syntaxes.explicit);
        const last = await client.retrieveInstanceFrames({ ...uidsOf(one), frameNumbers: [2] });
        expect(bytesOf(last)).toEqual([frames[1]]);
      }
    });

    it.each(Object.entries(imageTypes))('retrieves frames in %s, as %s', async (uid, mediaType) => {
      const expected = await encoded(uid);
      for (const mediaTypes of [[{ mediaType, transferSyntaxUID: uid }], [{ mediaType }]]) {
        const options = { ...uidsOf(rle), frameNumbers: [2, 1], mediaTypes };
        const found = await client.retrieveInstanceFrames(options);
        expect(bytesOf(found)).toEqual(expected.toReversed());
        expect(found[0]?.transferSyntaxUID).toBe(uid);
      }
    });

    it('retrieves frames in whichever of its types they are stored', async () => {
      const mediaTypes = [
        { mediaType: 'application/octet-stream', transferSyntaxUID: syntaxes.explicit },
        ...Object.entries(imageTypes).map(([transferSyntaxUID, mediaType]) => ({
          mediaType,
          transferSyntaxUID,
        })),
      ];
      for (const [one, syntax, expected] of [
        [plain, syntaxes.explicit, frames],
        [rle, syntaxes.rle, await encoded(syntaxes.rle)],
      ] as const) {
        const options = { ...uidsOf(one), frameNumbers: [1, 2], mediaTypes };
        const found = await client.retrieveInstanceFrames(options);
        expect(bytesOf(found)).toEqual(expected);
        expect(found[0]?.transferSyntaxUID).toBe(syntax);
      }
    });

    it('retrieves frames as any image', async () => {
      const mediaTypes = [{ mediaType: 'image/*', transferSyntaxUID: '*' }];
      const options = { ...uidsOf(rle), frameNumbers: [1], mediaTypes };
      expect(bytesOf(await client.retrieveInstanceFrames(options))).toEqual([
        (await encoded(syntaxes.rle))[0],
      ]);
    });

    it('retrieves a video in fragments', async () => {
      const video = ramp(600);
      const one = sample({
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments: [video.subarray(0, 400), video.subarray(400)] },
      });
      await http.store(one);
      const mediaTypes = [{ mediaType: 'video/mp4', transferSyntaxUID: syntaxes.mpeg4 }];
      const options = { ...uidsOf(one), frameNumbers: [1], mediaTypes };
      expect(bytesOf(await client.retrieveInstanceFrames(options))).toEqual([video]);
    });

    it('retrieves pictures of instances and frames, and thumbnails', async () => {
      for (const kind of ['jpeg', 'png'] as const) {
        const mediaTypes = [{ mediaType: `image/${kind}` }];
        const of = { ...uidsOf(rle), mediaTypes };
        for (const found of [
          await client.retrieveInstanceRendered(of),
          await client.retrieveInstanceFramesRendered({ ...of, frameNumbers: [2] }),
          await client.retrieveInstanceThumbnail(of),
          await client.retrieveInstanceFramesThumbnail({ ...of, frameNumbers: [2] }),
        ]) {
          expect(found.map(({ contentType }) => contentType)).toEqual([`image/${kind}`]);
          const [picture = Buffer.alloc(0)] = bytesOf(found);
          expect(picture.subarray(0, marks[kind].length)).toEqual(marks[kind]);
        }
      }
      const [picture] = bytesOf(await client.retrieveInstanceRendered(uidsOf(plain)));
      expect(picture?.subarray(0, 3)).toEqual(marks.jpeg);
    });

    it('retrieves what the metadata points to, or a value by its place', async () => {
      const [metadata = {}] = await client.retrieveInstanceMetadata(uidsOf(plain));
      const place = http.url(`${pathOf(plain)}/bulkdata/`);
      for (const [tag, bytes] of [
        ['00091011', ramp(300)],
        ['7FE00010', Buffer.concat(frames)],
      ] as const) {
        const pointer = metadata[tag]?.BulkDataURI;
        expect(pointer).toBe(http.face.microsoft ? undefined : place + tag);
        const BulkDataURI = pointer ?? place + tag;
        expect(bytesOf(await client.retrieveBulkData({ BulkDataURI }))).toEqual([bytes]);
        expect(bytesOf(await alone.retrieveBulkData({ BulkDataURI }))).toEqual([bytes]);
        const mediaTypes = [{ mediaType: 'application/octet-stream', transferSyntaxUID: '*' }];
        const asked = { BulkDataURI, mediaTypes, byteRange: [0, 99] };
        expect(bytesOf(await client.retrieveBulkData(asked))).toEqual([bytes]);
      }
    });

    it('retrieves compressed pixel data decoded, as one value', async () => {
      const BulkDataURI = http.url(`${pathOf(rle)}/bulkdata/7FE00010`);
      const found = await client.retrieveBulkData({ BulkDataURI });
      expect(bytesOf(found)).toEqual([Buffer.concat(frames)]);
      expect(found[0]?.transferSyntaxUID).toBe(syntaxes.explicit);
    });

    it('learns what is not there', async () => {
      const gone = { ...uidsOf(plain), sopInstanceUID: freshUids().instance };
      for (const asked of [
        () => client.retrieveInstance(gone),
        () => client.retrieveInstanceMetadata(gone),
        () => client.retrieveInstanceFrames({ ...uidsOf(plain), frameNumbers: [3] }),
        () => client.retrieveInstanceRendered(gone),
      ]) {
        await expect(asked()).rejects.toMatchObject({ status: 404 });
      }
    });
  });
});
